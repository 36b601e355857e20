"""Doubtful records get a verdict, and events and dead letters are told apart."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EventType
from concord.dialects.arrow import arrow_schema
from concord.speed.lexical import DELIMITER, LINE_FIELDS
from concord.speed.records import BATCH_AT, ORIGINAL, POSITION
from concord.speed.settle import Settled, settled, together
from concord.speed.validate import LINE
from tests.factories import event_bytes

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT_SCHEMA = arrow_schema(EVENTS)
RECORD_SCHEMA = pa.schema(
    [
        pa.field(LINE, pa.string()),
        pa.field(ORIGINAL, pa.binary()),
        *(EVENT_SCHEMA.field(name).with_nullable(True) for name in POSITION),
        pa.field(BATCH_AT, pa.timestamp("us", "UTC")),
    ]
)


def position(offset: int, partition: int = 0) -> dict[str, Any]:
    return {"_topic": "t", "_partition": partition, "_offset": offset, "_timestamp": RECEIVED}


def line(**values: str) -> str:
    return DELIMITER.join(values.get(column.name, "") for column in LINE_FIELDS)


def sure(offset: int, **values: str) -> dict[str, Any]:
    return {LINE: line(**values), BATCH_AT: RECEIVED, **position(offset)}


def doubtful(offset: int, record: bytes | None) -> dict[str, Any]:
    return {ORIGINAL: record, BATCH_AT: RECEIVED, **position(offset)}


def records(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=RECORD_SCHEMA)


def settle(arrived: pa.Table) -> Settled:
    return together([settled(arrived)])


def offsets(table: pa.Table) -> Sequence[int]:
    return table["_offset"].to_pylist()


def test_events_and_dead_letters_are_told_apart_in_kafkas_order() -> None:
    whole = settle(records(doubtful(3, event_bytes(EventType.LOGIN)), doubtful(2, b"nonsense"), sure(1)))

    assert offsets(whole.events) == [1, 3]
    assert offsets(whole.dead) == [2]
    assert whole.events.column_names == list(EVENTS.names)
    assert whole.dead.column_names == list(DEAD_LETTERS.names)


def test_a_judged_event_is_typed_like_a_sure_one() -> None:
    record = event_bytes(EventType.PURCHASE, total_amount="12.5", properties={"a": [1, {"b": 2}]})

    event = settle(records(doubtful(0, record))).events.to_pylist()[0]

    assert event["total_amount"] == Decimal("12.50")
    assert event["properties"] == '{"a":[1,{"b":2}]}'
    assert event["order_id"] == 1
    assert event["search_query"] is None


def test_a_dead_letter_keeps_the_bytes_that_came_and_says_why() -> None:
    record = json.dumps({"event_type": "DANCE"}).encode()

    letter = settle(records(doubtful(7, record))).dead.to_pylist()[0]

    assert letter["original"] == record
    assert (letter["reason"], letter["pointer"], letter["_offset"]) == ("unknown_event_type", "/event_type", 7)
    assert letter["first_seen_at"] == RECEIVED


def test_a_record_without_a_value_is_a_dead_letter_without_bytes() -> None:
    assert settle(records(doubtful(0, None))).dead["original"].to_pylist() == [None]
