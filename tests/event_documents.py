"""A seeded stream of event records, good ones and every kind of bad one, for tests that compare verdicts."""

import gzip
import json
import struct
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from concord.contracts.events import EVENT_TYPES, MAX_CLOCK_AHEAD_SECONDS, EventType
from concord.contracts.model import Column
from concord.contracts.tables import TOAST_PLACEHOLDER
from concord.contracts.types import BigInt, Category, Decimal, Instant, Integer, Json, Text, Uuid
from concord.rules.documents import MAX_DEPTH, MAX_RECORD_BYTES
from tests.factories import event, to_bytes

Document = dict[str, Any]

WORDS = (
    "", " ", "plain", "Ωmega", "é", "e\u0301", "🎁", "שלום", "\u202eevil", "日本語", "null", "NULL", "\\N", '"', "\\", "/",
    "a\\/b", 'say "hi"', "two\nlines\r\n", "tab\t", "\u0000", "\x1f", "\x7f", "\u2028", "\ufeff", "\ufffd", "{}", "[", "}",
    "'; drop table events; --", "{{ env.SECRET }}", "${jndi:ldap://x}", "=1+1", "@cmd", "-", "+", ",", "\n[ERROR] forged",
    TOAST_PLACEHOLDER, unicodedata.normalize("NFC", "ﬁancée"), unicodedata.normalize("NFD", "ﬁancée"),
    '","user_id":7,"', '},"referrer":"', "\\u0000", "\\ud83c",
)  # fmt: skip
"""Text that is honest, however it looks."""
ODD_NUMBERS = (
    0, 1, -1, 7, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**18 - 1, 10**18, 10**30, 999_999,
    1_000_000, 1_000_001, 1.0, 1.5, 0.005, -0.0, 1e15, 1e300, True, False,
)  # fmt: skip
ODD_MONEY = (
    "0", "0.00", "0.005", "-1.00", "-0", "99999999.99", "99999999", "100000000.00", "123456789.00", "1e2", "00.5", "5.", ".5",
    "12.5", "12,5", "+1", " 1", "1 ", "NaN", "Infinity", "0.123456789012345678901234567890", "١٢", "", "12.50\n",
)  # fmt: skip
ODD_TIMES = (
    "1717200000", "1717200000000", "1717200000000000", "1717200000000000000", "2024-06-01T12:00:00", "2024-06-01", "",
    "2024-06-01T12:00:00z", "2024-06-01 12:00:00Z", "2024-06-01t12:00:00Z", "2024-06-01T12:00:00 UTC", "2024-06-01T12:00Z",
    "2024-06-01T12:00:00+0530", "2024-06-01T12:00:00+05:30", "2024-06-01T12:00:00+14:00", "2024-06-01T12:00:00+18:00",
    "2024-06-01T12:00:00+18:01", "2024-06-01T12:00:00-23:59", "2024-06-01T12:00:00-00:00", "2024-06-01T12:00:00+24:00",
    "2016-12-31T23:59:60Z", "2024-03-31T02:30:00+01:00", "2024-03-31T02:30:00Z", "2024-10-27T02:30:00+02:00",
    "2024-10-27T02:30:00+01:00", "2024-02-29T23:59:59.999999Z", "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "2024-06-00T00:00:00Z", "2024-13-01T00:00:00Z", "2024-06-01T24:00:00Z",
    "2024-06-01T12:60:00Z", "2024-06-01T12:00:00.Z", "2024-06-01T12:00:00.1Z", "2024-06-01T12:00:00.123456Z",
    "2024-06-01T12:00:00.1234567Z", "2024-06-01T12:00:00.999999Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
    "1899-12-31T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z",
    "2000-01-01T00:00:00Z", "2000-01-01T00:00:00+00:01", "1999-12-31T23:59:00-00:01", "2038-01-19T03:14:08Z",
    "2262-04-12T00:00:00Z", "2300-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "-0001-01-01T00:00:00Z",
    "+2024-06-01T12:00:00Z", "12024-06-01T12:00:00Z", "yesterday", "٢٠٢٤-06-01T12:00:00Z",
)  # fmt: skip
ODD_IDS = (
    "018FD0C2-5A00-7067-8A00-00000000ABCD", "{018fd0c2-5a00-7067-8a00-000000000067}", "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "018fd0c25a0070678a00000000000067", "018fd0c2-5a00-7067-8a00-00000000006",
    "018fd0c2-5a00-7067-8a00-000000000067 ", "urn:uuid:018fd0c2-5a00-7067-8a00-000000000067", "no uuid", "",
)  # fmt: skip
ODD_TYPES = ("add_to_cart", "Page_View", "PAGE_VIEW ", "REFUND", "", "NULL", "PAGE_VIEWS", "PAGE", "🎁")
ODD_PROPERTIES: tuple[Any, ...] = (
    {}, {"": None}, {"a": {}}, {"a": {"b": {"c": {"d": [1, {"e": None}]}}}}, {"a": [[], [[]]]}, {"a": 1e300, "b": -0.0},
    {"n": 10**40}, {"t": "line\nbreak \u0000 \\ \" /"}, {"event_type": "PURCHASE", "user_id": 1}, {"é": "🎁"}, [], "{}", 1, True,
)  # fmt: skip
ANYTHING: tuple[Any, ...] = (None, *WORDS, *ODD_NUMBERS, *ODD_MONEY, *ODD_TIMES, *ODD_IDS, *ODD_TYPES, *ODD_PROPERTIES)


def records(seed: int, count: int, received_at: datetime) -> Iterator[bytes | None]:
    """The same for the same arguments: every bad input at least once, then by chance, valid ones among them."""
    rng = Random(seed)
    named = [*_endless(), *(make(rng) for make in BROKEN for _ in range(20))]
    yield from named
    for number in range(count - len(named)):
        yield _record(rng, number, received_at)


def _record(rng: Random, number: int, received_at: datetime) -> bytes | None:
    document = plausible(rng, number, received_at)
    match rng.choices(("valid", "field", "fault", "bytes"), weights=(40, 25, 25, 10))[0]:
        case "valid":
            return written(rng, document)
        case "field":
            name = rng.choice(list(document))
            return written(rng, document | {name: rng.choice(ANYTHING)})
        case "fault":
            return rng.choice(FAULTS)(rng, document, received_at)
        case _:
            return rng.choice(BROKEN)(rng)


# --- documents that are valid ---


def plausible(rng: Random, number: int, received_at: datetime) -> Document:
    """A valid document of any type: ordinary values, edges, optional fields null or missing."""
    event_type = rng.choice(list(EventType))
    document = event(event_type, number + 1)
    for column in EVENT_TYPES[event_type].columns:
        if rng.random() < 0.25 and column.name not in ("event_id", "event_type", "schema_version", "user_id"):
            document[column.name] = _edge(rng, column, received_at)
        if column.nullable and column.name != "user_id" and rng.random() < 0.15:
            document[column.name] = rng.choice((None, ...))
    if document.get("anonymous_id") in (None, ...):
        document["user_id"] = rng.choice((1, 10**18, 2**63 - 1))
    return {name: value for name, value in document.items() if value is not ...}


def _edge(rng: Random, column: Column, received_at: datetime) -> Any:
    match column.type:
        case BigInt():
            return rng.choice((1, 2**31, 10**18 - 1, 10**18, 2**63 - 1))
        case Integer():
            return rng.choice((column.minimum, 1, 999_999, column.maximum))
        case Decimal():
            return rng.choice(("0", "0.0", "0.01", "12.5", "99999999.99", "10000000"))
        case Instant():
            return rng.choice((*VALID_TIMES, in_time(rng, received_at)))
        case Category(values) if values:
            return str(rng.choice(values))
        case Text():
            longest = column.max_length or 64
            word = rng.choice((*WORDS, *("x", "é", "🎁", '"', "\\/")))
            return rng.choice((word, (word * longest)[:longest], (word * 40)[:longest]))
        case Json():
            return rng.choice([value for value in ODD_PROPERTIES if isinstance(value, dict)])
    raise TypeError(f"no edges for {column}")


VALID_TIMES = tuple(
    text for text in ODD_TIMES
    if text.startswith(("2000-01-01T00:00:00Z", "2000-02-29", "2024-03-31", "2024-10-27", "2024-02-29", "2024-06-01T12:00:00.1Z",
                        "2024-06-01T12:00:00.123456Z", "2024-06-01T12:00:00-", "2024-06-01T12:00:00+05:30",
                        "2024-06-01T12:00:00+14", "2024-06-01T12:00:00+18:0"))
)  # fmt: skip


def in_time(rng: Random, received_at: datetime) -> str:
    """Up to the last microsecond that is allowed."""
    ahead = timedelta(seconds=MAX_CLOCK_AHEAD_SECONDS) - timedelta(
        microseconds=rng.choice((0, 1, 999, 1000, 60_000_000))
    )
    return (received_at + ahead).isoformat(timespec=rng.choice(("milliseconds", "microseconds")))


def written(rng: Random, document: Document) -> bytes:
    """As one of the encoders of this world writes it."""
    members = list(document.items())
    if rng.random() < 0.3:
        rng.shuffle(members)
    style: dict[str, Any] = rng.choice(({"separators": (",", ":")}, {"separators": (",", ":")}, {}, {"indent": 1}))
    text = json.dumps(dict(members), ensure_ascii=rng.random() < 0.3, **style)
    if rng.random() < 0.1:
        text = text.replace("/", "\\/")
    return text.encode(errors="surrogatepass")


# --- documents with one fault ---

Fault = Callable[[Random, Document, datetime], bytes]


def _with(name: Callable[[Random, Document], str], value: Callable[[Random, datetime], Any]) -> Fault:
    def fault(rng: Random, document: Document, received_at: datetime) -> bytes:
        return written(rng, document | {name(rng, document): value(rng, received_at)})

    return fault


def _field_of(*kinds: type) -> Callable[[Random, Document], str]:
    def name(rng: Random, document: Document) -> str:
        columns = EVENT_TYPES[EventType(document["event_type"])].columns
        return rng.choice([c.name for c in columns if isinstance(c.type, kinds)] or ["user_id"])

    return name


def _named(*names: str) -> Callable[[Random, Document], str]:
    return lambda rng, _: rng.choice(names)


def _one_of(values: Sequence[Any]) -> Callable[[Random, datetime], Any]:
    return lambda rng, _: rng.choice(values)


def _too_late(rng: Random, received_at: datetime) -> str:
    late = timedelta(seconds=MAX_CLOCK_AHEAD_SECONDS) + timedelta(
        microseconds=rng.choice((1, 999, 1000, 10**9, 10**13))
    )
    return (received_at + late).isoformat(timespec="microseconds")


def _without(rng: Random, document: Document, _: datetime) -> bytes:
    gone = rng.choice(list(document))
    return written(rng, {name: value for name, value in document.items() if name != gone})


def _anonymous(rng: Random, document: Document, _: datetime) -> bytes:
    nobody = dict.fromkeys(("user_id", "anonymous_id"))
    return written(
        rng, document | nobody | {"event_type": "PAGE_VIEW"} if "product_id" not in document else document | nobody
    )


def _again(rng: Random, document: Document, _: datetime) -> bytes:
    """A field twice, with the same or another value, its name spelled plainly or with an escape."""
    name = rng.choice(list(document))
    spelled = rng.choice((json.dumps(name), f'"\\u{ord(name[0]):04x}{name[1:]}"'))
    repeated = f",{spelled}:{json.dumps(rng.choice((document[name], None, 1)))}}}"
    return to_bytes(document).removesuffix(b"}") + repeated.encode()


def _nested_again(rng: Random, document: Document, _: datetime) -> bytes:
    """Twice inside of properties, which are kept as they came: valid."""
    return to_bytes(document | {"properties": "HERE"}).replace(b'"HERE"', b'{"a":1,"a":{"b":1,"b":2}}')


def _longer(rng: Random, document: Document, _: datetime) -> bytes:
    columns = [c for c in EVENT_TYPES[EventType(document["event_type"])].columns if c.max_length is not None]
    column = rng.choice(columns)
    return written(
        rng, document | {column.name: rng.choice("xé🎁") * ((column.max_length or 0) + rng.choice((0, 1, 2)))}
    )


def _raw_number(rng: Random, document: Document, _: datetime) -> bytes:
    raw = rng.choice(
        (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-0", b"01", b"+1", b"0x1", b"1.", b"1e1", b"1" * 400)
    )
    return to_bytes(document | {rng.choice(("user_id", "properties")): "HERE"}).replace(b'"HERE"', raw)


def _raw_properties(rng: Random, document: Document, _: datetime) -> bytes:
    raw = rng.choice((
        b"{ }", b'{ "a" :\t[1 , 2.50,1e0], "b":{"c" : null} }', b'{\n"a":1}', b'{"a":1.10,"b":10000000000000000000000000}',
        b'{"a":"\\u00e9\\n","b":"\\/"}', b'{"a":1,}', b"{'a':1}", b'{"a":1/*no*/}', b'{"a":"\x01"}', b'{"a":"\\ud800"}',
        b'{"a":"\xff"}', b'{"a":"\xed\xa0\xbd"}', b'{"a":tru}', b"{1:2}", b'{"a" 1}', b'{"a":1e400}', b'{"a":NaN}', b'{"a":01}',
    ))  # fmt: skip
    return to_bytes(document | {"properties": "HERE"}).replace(b'"HERE"', raw)


def _deep(rng: Random, document: Document, _: datetime) -> bytes:
    depth = rng.choice((5, MAX_DEPTH - 3, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, 200))
    return to_bytes(document | {"properties": "HERE"}).replace(b'"HERE"', b'{"x":' * depth + b"1" + b"}" * depth)


FAULTS: tuple[Fault, ...] = (
    _without, _without, _anonymous, _anonymous, _again, _again, _nested_again, _longer, _raw_number, _raw_properties, _deep, _deep,
    _with(_named("surprise", "b/c~d", "Event_id", "", "product_id", "order_id"), _one_of((None, 1, "x"))),
    _with(_named("event_type"), _one_of(ODD_TYPES)),
    _with(_named("occurred_at", "received_at"), lambda rng, at: _too_late(rng, at)),
    _with(_named("occurred_at", "received_at"), _one_of(ODD_TIMES)),
    _with(_named("occurred_at", "received_at"), _one_of((1717200000, 1717200000000, 1717200000.5, True))),
    _with(_named("event_id"), _one_of(ODD_IDS)),
    _with(_field_of(Uuid, Instant, Text, Category), _one_of(ODD_NUMBERS)),
    _with(_field_of(BigInt, Integer), _one_of(ODD_NUMBERS)),
    _with(_field_of(BigInt, Integer), _one_of(("1", "0", "", "true"))),
    _with(_field_of(Decimal), _one_of((*ODD_MONEY, *ODD_NUMBERS))),
    _with(_field_of(Category), _one_of(("toaster", "DESKTOP", "", " mobile"))),
    _with(_named("properties"), _one_of(ODD_PROPERTIES)),
)  # fmt: skip
"""Most of what they make is invalid; what is not must be accepted."""


# --- bytes that are no document ---


def _whole(rng: Random) -> bytes:
    return to_bytes(event(rng.choice(list(EventType)), rng.randrange(1, 1000)))


def _truncated(rng: Random) -> bytes:
    whole = _whole(rng)
    return whole[: rng.randrange(len(whole))]


def _mangled(rng: Random) -> bytes:
    whole = bytearray(_whole(rng))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(whole))
        whole[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
    return bytes(whole)


def _swapped(rng: Random) -> bytes:
    """One byte becomes another that means something to JSON."""
    whole = bytearray(_whole(rng))
    whole[rng.randrange(len(whole))] = rng.choice(b'{}[]",:\\ \n0e-\x00\x1f\xff')
    return bytes(whole)


def _top_level(rng: Random) -> bytes:
    whole = _whole(rng)
    return rng.choice(
        (b"null", b"true", b"0", b'"LOGIN"', b"[]", b"[" + whole + b"]", json.dumps(whole.decode()).encode())
    )


def _framed(rng: Random) -> bytes:
    whole = _whole(rng)
    return rng.choice((
        b"\xef\xbb\xbf" + whole, whole + whole, whole + b"\n" + whole, b"\x00" + whole, whole + b"\x00", gzip.compress(whole, 1),
        b"\x00" + struct.pack(">I", 7) + whole, whole.decode().encode("utf-16"), b" \n" + whole + b"\r\n", whole + b",", whole + b"//",
        b"'" + whole + b"'", whole.replace(b'"', b"'"), whole.replace(b"}", b",}"), whole.upper(), whole.replace(b":", b"=", 1),
    ))  # fmt: skip


def _spoiled(rng: Random) -> bytes:
    bad = rng.choice(
        (b"\xff", b"\xc0\xaf", b"\xed\xa0\xbd", b"\xf5\x80\x80\x80", b"\\ud83c", b"\\udf81", b"\\x41", b"\x00", b"\n")
    )
    return _whole(rng).replace(b"user_agent ", b"user_agent " + bad)


def _disguised(rng: Random) -> bytes:
    """Looks like what native validation hands on; it is no document."""
    return b"\x1f".join(
        [b"2026-01-01T00:00:00Z", b"", b"018fd0c2-5a00-7067-8a00-000000000067", b"LOGIN", b"1", b"1", *[b""] * 14]
    )


def _nothing(rng: Random) -> bytes | None:
    return rng.choice((None, b"", b" ", b"\n", b"\x00", b"{}", b"{ }", rng.randbytes(rng.randint(1, 40))))


BROKEN: tuple[Callable[[Random], bytes | None], ...] = (
    _truncated, _truncated, _mangled, _swapped, _top_level, _framed, _spoiled, _disguised, _nothing,
)  # fmt: skip


def _endless() -> Iterator[bytes]:
    """Large ones, of which a few are enough; and one document cut at every offset."""
    whole = to_bytes(event(EventType.PURCHASE))
    yield from (whole[:end] for end in range(len(whole) + 1))
    for size in (MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1, 1 << 20):
        yield whole[:-1] + b" " * (size - len(whole)) + b"}"
    yield to_bytes(event(EventType.PAGE_VIEW, page_url="x" * (10 << 20)))
    yield to_bytes(event(EventType.PAGE_VIEW, properties={f"k{number}": number for number in range(10_000)}))
    yield to_bytes(event(EventType.PAGE_VIEW, user_agent="\n" * 1024, page_url='"' * 2048))
    yield b"[" * 10_000 + b"]" * 10_000
    yield b'{"a":' * 10_000 + b"1" + b"}" * 10_000
