"""Every way in which a record of the events topic may be wrong, and what the judge must say of it."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from concord.contracts.events import EventType
from concord.ingest.clickstream import Event
from concord.rules.violations import Reason

Document = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """``spoil`` turns a valid document into the bytes of a broken record; ``reason`` is its dead letter's."""

    name: str
    reason: Reason
    spoil: Callable[[Document], bytes | None]


def spoiled(rng: Random, event: Event, faults: Sequence[Fault] | None = None) -> tuple[Fault, bytes | None]:
    """The event with a fault drawn by chance, of :data:`FAULTS` if no others are given."""
    fault = rng.choice(faults or FAULTS)
    return fault, fault.spoil(dict(event.document))


def _with(**fields: object) -> Callable[[Document], bytes]:
    return lambda document: orjson.dumps({**document, **fields})


def _without(name: str) -> Callable[[Document], bytes]:
    return lambda document: orjson.dumps({key: value for key, value in document.items() if key != name})


def _as(event_type: EventType, payload: Mapping[str, object]) -> Callable[[Document], bytes]:
    """As an event of another type; valid but for what ``payload`` does."""
    return lambda document: orjson.dumps({**_envelope(document), "event_type": event_type, **payload})


def _envelope(document: Document) -> Document:
    return {name: value for name, value in document.items() if name in ENVELOPE_FIELDS}


def _twice(document: Document) -> bytes:
    encoded = orjson.dumps(document)
    return encoded[:-1] + b',"event_id":"' + str(document["event_id"]).encode() + b'"}'


def _nested(levels: int) -> object:
    inner: object = {}
    for _ in range(levels):
        inner = {"in": inner}
    return inner


ENVELOPE_FIELDS = frozenset(
    ("event_id", "schema_version", "user_id", "anonymous_id", "occurred_at", "received_at", "device_type", "user_agent",
     "page_url", "referrer", "properties")
)  # fmt: skip
ARTICLE = {"product_id": 1, "category": "gifts", "quantity": 1, "price": "1.00"}

FAULTS = (
    Fault("null_value", Reason.NOT_JSON, lambda document: None),
    Fault("empty", Reason.NOT_JSON, lambda document: b""),
    Fault("no_json", Reason.NOT_JSON, lambda document: b"event_id=17&type=PAGE_VIEW"),
    Fault("truncated", Reason.NOT_JSON, lambda document: orjson.dumps(document)[:-20]),
    Fault("invalid_utf8", Reason.NOT_JSON, lambda document: orjson.dumps(document).replace(b"event", b"ev\xff\xfet")),
    Fault("two_documents", Reason.NOT_JSON, lambda document: orjson.dumps(document) * 2),
    Fault("list", Reason.NOT_AN_OBJECT, lambda document: orjson.dumps([document])),
    Fault("field_twice", Reason.DUPLICATE_FIELD, _twice),
    Fault("unknown_type", Reason.UNKNOWN_EVENT_TYPE, _with(event_type="WISHLIST_ADD")),
    Fault("wrong_case", Reason.UNKNOWN_EVENT_TYPE, _with(event_type="page_view")),
    Fault("no_type", Reason.MISSING_FIELD, _without("event_type")),
    Fault("no_event_id", Reason.MISSING_FIELD, _without("event_id")),
    Fault("no_time", Reason.MISSING_FIELD, _without("occurred_at")),
    Fault("login_of_nobody", Reason.MISSING_FIELD, _as(EventType.LOGIN, {"user_id": None, "anonymous_id": "a"})),
    Fault("no_product", Reason.MISSING_FIELD, _as(EventType.ADD_TO_CART, {**ARTICLE, "product_id": None})),
    Fault("user_as_text", Reason.WRONG_TYPE, _with(user_id="17")),
    Fault("quantity_as_text", Reason.WRONG_TYPE, _as(EventType.ADD_TO_CART, {**ARTICLE, "quantity": "1"})),
    Fault("price_as_number", Reason.WRONG_TYPE, _as(EventType.ADD_TO_CART, {**ARTICLE, "price": 1.5})),
    Fault("properties_as_list", Reason.WRONG_TYPE, _with(properties=["simulated"])),
    Fault("quantity_zero", Reason.OUT_OF_RANGE, _as(EventType.ADD_TO_CART, {**ARTICLE, "quantity": 0})),
    Fault("schema_version_2", Reason.OUT_OF_RANGE, _with(schema_version=2)),
    Fault("unknown_device", Reason.OUT_OF_RANGE, _with(device_type="toaster")),
    Fault("endless_url", Reason.OUT_OF_RANGE, _with(page_url="https://shop.example.com/" + "x" * 3000)),
    Fault("event_id_no_uuid", Reason.BAD_FORMAT, _with(event_id="17")),
    Fault("time_in_words", Reason.BAD_FORMAT, _with(occurred_at="yesterday")),
    Fault("time_without_zone", Reason.BAD_FORMAT, _with(occurred_at="2026-01-01T00:00:00")),
    Fault("no_such_day", Reason.BAD_FORMAT, _with(occurred_at="2026-02-30T00:00:00.000Z")),
    Fault("comma_in_price", Reason.BAD_FORMAT, _as(EventType.ADD_TO_CART, {**ARTICLE, "price": "1,50"})),
    Fault("mills_in_price", Reason.BAD_FORMAT, _as(EventType.ADD_TO_CART, {**ARTICLE, "price": "1.505"})),
    Fault("price_too_large", Reason.BAD_FORMAT, _as(EventType.ADD_TO_CART, {**ARTICLE, "price": "123456789.00"})),
    Fault("unknown_field", Reason.UNKNOWN_FIELD, _with(colour="blue")),
    Fault("no_identity", Reason.NO_IDENTITY, _as(EventType.PAGE_VIEW, {"user_id": None, "anonymous_id": None})),
    Fault("before_the_web", Reason.IMPOSSIBLE_TIME, _with(occurred_at="1970-01-01T00:00:00.000Z")),
)

POISON = (
    Fault("huge", Reason.TOO_LARGE, _with(user_agent="x" * (2 << 20))),
    Fault("deep", Reason.TOO_LARGE, lambda document: orjson.dumps({**document, "properties": _nested(200)})),
    Fault("bottomless", Reason.NOT_JSON, lambda document: b'{"properties":' + b"[" * 100_000),
    Fault("many_fields", Reason.UNKNOWN_FIELD, _with(**{f"field_{number}": number for number in range(5_000)})),
    Fault("compressed", Reason.NOT_JSON, lambda document: gzip.compress(orjson.dumps(document), mtime=0)),
    Fault("avro", Reason.NOT_JSON, lambda document: b"\x00\x00\x00\x00\x07" + orjson.dumps(document)),
    Fault("zeros", Reason.NOT_JSON, lambda document: bytes(1_000)),
    Fault("byte_order_mark", Reason.NOT_JSON, lambda document: b"\xef\xbb\xbf" + orjson.dumps(document)),
    Fault("half_a_pair", Reason.NOT_JSON, lambda document: orjson.dumps(document).replace(b"event_id", b"\\ud83d")),
    Fault("not_a_number", Reason.NOT_JSON, lambda document: orjson.dumps(document)[:-1] + b',"price":NaN}'),
    Fault("beyond_doubles", Reason.NOT_JSON, lambda document: orjson.dumps(document)[:-1] + b',"price":1e400}'),
    Fault("null_value", Reason.NOT_JSON, lambda document: None),
)
"""What has stopped a parser before: it must not stop the stream."""
