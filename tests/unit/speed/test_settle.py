"""Doubtful records get a verdict, and events and dead letters are told apart."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EventType
from concord.dialects.arrow import arrow_schema
from concord.rules.documents import MAX_RECORD_BYTES
from concord.speed.lexical import DELIMITER, LINE_FIELDS
from concord.speed.records import BATCH_AT, ORIGINAL, POSITION
from concord.speed.settle import in_kafkas_order, settled
from concord.speed.validate import IS_LARGE, LINE
from tests.factories import event_bytes

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT_SCHEMA = arrow_schema(EVENTS)
RECORD_SCHEMA = pa.schema(
    [
        pa.field(LINE, pa.string()),
        pa.field(ORIGINAL, pa.binary()),
        pa.field(IS_LARGE, pa.bool_()),
        *(EVENT_SCHEMA.field(name).with_nullable(True) for name in POSITION),
        pa.field(BATCH_AT, pa.timestamp("us", "UTC")),
    ]
)


def position(offset: int, partition: int = 0) -> dict[str, Any]:
    return {"_topic": "t", "_partition": partition, "_offset": offset, "_timestamp": RECEIVED}


def line(**values: str) -> str:
    return DELIMITER.join(values.get(column.name, "") for column in LINE_FIELDS)


def sure(offset: int, **values: str) -> dict[str, Any]:
    return {LINE: line(**values), IS_LARGE: False, BATCH_AT: RECEIVED, **position(offset)}


def doubtful(offset: int, record: bytes | None) -> dict[str, Any]:
    return {ORIGINAL: record, IS_LARGE: False, BATCH_AT: RECEIVED, **position(offset)}


def large(offset: int, record: bytes | None = None) -> dict[str, Any]:
    return {**doubtful(offset, record), IS_LARGE: True}


def records(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=RECORD_SCHEMA)


def offsets(table: pa.Table) -> Sequence[int]:
    return table["_offset"].to_pylist()


def test_events_and_dead_letters_are_told_apart() -> None:
    whole = settled(records(doubtful(3, event_bytes(EventType.LOGIN)), doubtful(2, b"nonsense"), sure(1)))

    assert sorted(offsets(whole.events)) == [1, 3]
    assert offsets(whole.dead) == [2]
    assert whole.events.column_names == list(EVENTS.names)
    assert whole.dead.column_names == list(DEAD_LETTERS.names)


def test_a_judged_event_is_typed_like_a_sure_one() -> None:
    record = event_bytes(EventType.PURCHASE, total_amount="12.5", properties={"a": [1, {"b": 2}]})

    event = settled(records(doubtful(0, record))).events.to_pylist()[0]

    assert event["total_amount"] == Decimal("12.50")
    assert event["properties"] == '{"a":[1,{"b":2}]}'
    assert event["order_id"] == 1
    assert event["search_query"] is None


def test_a_dead_letter_keeps_the_bytes_that_came_and_says_why() -> None:
    record = json.dumps({"event_type": "DANCE"}).encode()

    letter = settled(records(doubtful(7, record))).dead.to_pylist()[0]

    assert letter["original"] == record
    assert (letter["reason"], letter["pointer"], letter["_offset"]) == ("unknown_event_type", "/event_type", 7)
    assert letter["first_seen_at"] == RECEIVED


def test_a_record_without_a_value_is_a_dead_letter_without_bytes() -> None:
    assert settled(records(doubtful(0, None))).dead["original"].to_pylist() == [None]


def test_where_a_large_record_lies_is_known_without_its_bytes() -> None:
    part = settled(records(large(4), doubtful(5, b"no json"), sure(6)))

    assert (offsets(part.large), offsets(part.dead), offsets(part.events)) == ([4], [5], [6])
    assert part.large.schema == part.dead.select(POSITION).schema


def test_a_large_record_is_a_dead_letter_where_its_bytes_are() -> None:
    part = settled(records(large(4, b"x" * (MAX_RECORD_BYTES + 1))))

    assert part.dead["reason"].to_pylist() == ["too_large"]
    assert part.large.num_rows == 0


@pytest.mark.parametrize("most", [1 << 30, 100])
def test_kafkas_order_is_the_same_for_any_number_of_bytes(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr("concord.speed.settle.MAX_CHUNK_BYTES", most)
    rows = pa.table({"text": ["c", "a", "b"], **{name: [position(o)[name] for o in (3, 1, 2)] for name in POSITION}})

    ordered = in_kafkas_order(rows)

    assert ordered["text"].to_pylist() == ["a", "b", "c"]
    assert ordered.schema == rows.schema
