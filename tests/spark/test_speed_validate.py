"""Native validation against the judge: what Spark calls sure, the judge accepts, with the same row."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import Row

from concord.contracts.events import EVENT_TYPES, EventType
from concord.contracts.names import EVENTS_TOPIC
from concord.rules.quality import Accepted, judge
from concord.settings import PROJECT
from concord.speed.lines import typed
from concord.speed.records import ORIGINAL
from concord.speed.validate import LINE, validated
from tests.factories import event, to_bytes
from tests.spark.conftest import RECEIVED, FromKafka

pytestmark = pytest.mark.spark

EXAMPLES = PROJECT / "schemas" / "events" / "examples"


def verdicts(from_kafka: FromKafka, values: Sequence[bytes | None]) -> list[Row]:
    return validated(from_kafka([(EVENTS_TOPIC, value) for value in values])).orderBy("_offset").collect()


ODD: list[Any] = [
    None, "", " ", "x" * 129, "x" * 3000, "é" * 128, "🎁" * 128, "1", "true", "null", 0, -1, 1, 1.0, 1.5, 10**9, 10**12,
    10**18, 10**19, True, [], {}, [1], {"a": {"b": [{}]}}, {"a": "\u0000"}, "0.00", "12.5", "12.505", "123456789.00",
    "99999999.99", "-1.00", "00.5", "1e3", "NaN", "2026-02-29T00:00:00Z", "2024-02-29T23:59:59.999999Z",
    "2024-06-01T12:00:00+05:30", "2024-06-01T12:00:00.1-00:00", "1999-12-31T23:59:59.999Z", "2000-01-01T00:00:00Z",
    "2026-03-01T12:05:00Z", "2026-03-01T12:05:00.000001Z", "2026-03-01T12:05:00.001Z", "2024-06-01T24:00:00Z",
    "2024-06-01 12:00:00Z", "9999-12-31T23:59:59Z", "018FD0C2-5A00-7067-8A00-000000000067", "PAGE_VIEW", "page_view",
    "desktop", "\u2028", "\ud83c\udf81", "back\\slash \"quoted\" /slash", "tab\t", "\x7f", "\ufffd",
]  # fmt: skip


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def mutants() -> Iterator[bytes]:
    """Every field of every type with every odd value, and without the field."""
    for event_type, contract in EVENT_TYPES.items():
        for name in contract.names:
            yield to_bytes(without(event(event_type), name))
            for value in ODD:
                yield json.dumps(event(event_type) | {name: value}).encode()
                yield json.dumps(event(event_type) | {name: value}, ensure_ascii=False).encode(errors="surrogatepass")


def malformed() -> Iterator[bytes | None]:
    whole = to_bytes(event(EventType.PRODUCT_VIEW))
    yield from (None, b"", b" ", b"null", b"[]", b"{}", b"\xff", b"\xef\xbb\xbf" + whole, whole + whole, whole + b"\n")
    yield from (whole[:end] for end in range(0, len(whole), 7))
    yield whole.replace(b'"user_id":1', b'"user_id":1,"user_id":2')
    yield whole.replace(b'"user_id":1', b'"us\\u0065r_id":1')
    yield whole.replace(b'"user_id":1', b'"user_id":01')
    yield whole.replace(b'"user_id":1', b'"user_id":NaN')
    yield whole.replace(b'"user_id":1', b"'user_id':1")
    yield whole.replace(b"user_agent 1", b"\xff\xfe")
    yield whole.replace(b"user_agent 1", b"\xed\xa0\xbd")
    yield whole.replace(b'{"seed":1}', b'{"seed":1,"seed":2}')
    yield whole.replace(b'{"seed":1}', b'{"properties":{"seed":1}}')
    yield whole.replace(b'{"seed":1}', b'{ "a\\"properties\\":{" : "}" , "b":[1 ,2.50,1e0] }')
    yield whole.replace(b'{"seed":1}', b'{"a":1/*no*/}')
    yield whole.replace(b'{"seed":1}', b"{" + b",".join(b'"k%d":1' % n for n in range(200)) + b"}")
    yield whole.replace(b"page_url 1", b"x" * 40_000)
    yield whole.replace(b"page_url 1", b"\\n" * 2048)


def examples() -> Iterator[bytes]:
    yield from (path.read_bytes() for path in sorted(EXAMPLES.glob("*.json")))


def corpus() -> list[bytes | None]:
    return [*mutants(), *malformed(), *examples()]


def expected(record: bytes | None) -> dict[str, Any] | None:
    """The judge's row, null columns included; None where the record is refused."""
    verdict = judge(record, RECEIVED)
    return verdict.row() if isinstance(verdict, Accepted) else None


def test_what_spark_calls_sure_the_judge_accepts_with_the_very_same_row(from_kafka: FromKafka) -> None:
    records = corpus()
    sure = [
        (record, row[LINE]) for record, row in zip(records, verdicts(from_kafka, records), strict=True) if row[LINE]
    ]
    rows = typed(pa.chunked_array([[line for _, line in sure]])).to_pylist()

    assert [record for (record, _), row in zip(sure, rows, strict=True) if row != expected(record)] == []


def test_a_doubtful_record_keeps_its_bytes_and_a_sure_one_needs_none(from_kafka: FromKafka) -> None:
    records = [*malformed(), to_bytes(event())]

    for record, row in zip(records, verdicts(from_kafka, records), strict=True):
        assert row[ORIGINAL] == (None if row[LINE] else record)


def test_ordinary_events_of_every_type_need_no_second_look(from_kafka: FromKafka) -> None:
    ordinary = [
        json.dumps(event(event_type, seed, occurred_at=moment.isoformat(timespec="milliseconds"))).encode()
        for event_type in EventType
        for seed, moment in enumerate([RECEIVED, RECEIVED - timedelta(days=400), RECEIVED + timedelta(minutes=4)], 1)
    ]

    assert all(row[LINE] for row in verdicts(from_kafka, ordinary))


def test_optional_fields_may_be_null_or_absent_without_a_second_look(from_kafka: FromKafka) -> None:
    optional = [column.name for column in EVENT_TYPES[EventType.PAGE_VIEW].columns if column.nullable]
    gone = [name for name in optional if name != "user_id"]
    sparse = [
        to_bytes(event() | dict.fromkeys(gone)),
        to_bytes(without(event(), *gone)),
        to_bytes(event(user_id=None)),
    ]

    assert all(row[LINE] for row in verdicts(from_kafka, sparse))


def test_half_of_the_valid_examples_need_no_second_look(from_kafka: FromKafka) -> None:
    """Examples lie at the edges: of ordinary events every one is sure, as the tests above say."""
    valid = [record for record in examples() if expected(record) is not None]

    assert sum(row[LINE] is not None for row in verdicts(from_kafka, valid)) >= len(valid) / 2
