"""Doubtful records get a verdict, copies are told from originals, and a second run sees no difference."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EventType
from concord.speed.records import BATCH_AT, ORIGINAL, arrow_schema
from concord.speed.settle import originals, settle
from concord.speed.tally import offset_ranges
from concord.speed.validate import IS_SURE
from tests.factories import event_bytes, row

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT_SCHEMA = arrow_schema(EVENTS)
RECORD_SCHEMA = pa.schema(
    [
        pa.field(IS_SURE, pa.bool_()),
        pa.field(ORIGINAL, pa.binary()),
        *(field.with_nullable(True) for field in EVENT_SCHEMA),
        pa.field(BATCH_AT, pa.timestamp("us", "UTC")),
    ]
)


def position(offset: int, partition: int = 0) -> dict[str, Any]:
    return {"_topic": "t", "_partition": partition, "_offset": offset, "_timestamp": RECEIVED}


def sure(offset: int, seed: int = 1) -> dict[str, Any]:
    return {IS_SURE: True, BATCH_AT: RECEIVED, **row(EVENTS, seed, **position(offset))}


def doubtful(offset: int, record: bytes | None) -> dict[str, Any]:
    return {IS_SURE: False, ORIGINAL: record, BATCH_AT: RECEIVED, **position(offset)}


def records(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=RECORD_SCHEMA)


def offsets(table: pa.Table) -> Sequence[int]:
    return table["_offset"].to_pylist()


def test_events_and_dead_letters_are_told_apart_in_kafkas_order() -> None:
    settled = settle(records(doubtful(3, event_bytes(EventType.LOGIN)), doubtful(2, b"nonsense"), sure(1)))

    assert offsets(settled.events) == [1, 3]
    assert offsets(settled.dead) == [2]
    assert settled.events.column_names == list(EVENTS.names)
    assert settled.dead.column_names == list(DEAD_LETTERS.names)


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


def events(*rows: tuple[int, int, int]) -> pa.Table:
    """Events as (partition, offset, number of the id)."""
    made = [
        row(EVENTS, **{**position(offset, partition), "event_id": str(uuid.UUID(int=number))})
        for partition, offset, number in rows
    ]
    return pa.Table.from_pylist(made, schema=EVENT_SCHEMA)


NONE_KNOWN = events()


def test_of_copies_in_one_batch_the_first_in_kafkas_order_stays() -> None:
    batch = events((0, 5, 1), (0, 6, 2), (1, 0, 1), (1, 1, 3))

    kept = originals(batch, NONE_KNOWN, offset_ranges(batch))

    assert kept.events["_offset"].to_pylist() == [5, 6, 1]
    assert kept.copies.select(["_partition", "_offset"]).to_pylist() == [{"_partition": 1, "_offset": 0}]


def test_a_copy_of_an_event_of_an_earlier_batch_is_dropped() -> None:
    batch = events((0, 5, 1), (0, 6, 2))

    kept = originals(batch, events((0, 4, 2), (3, 900, 1)), offset_ranges(batch))

    assert kept.events.num_rows == 0
    assert kept.copies.num_rows == 2


def test_a_batch_run_again_takes_its_own_rows_for_its_own() -> None:
    batch = events((0, 5, 1), (0, 6, 2), (1, 9, 3))

    kept = originals(batch, batch, offset_ranges(batch))

    assert kept.events.num_rows == 3
    assert kept.copies.num_rows == 0


def test_what_a_batch_keeps_does_not_depend_on_how_far_an_earlier_attempt_came() -> None:
    batch = events((0, 5, 1), (0, 6, 1), (1, 9, 2))
    first = originals(batch, events((0, 3, 2)), offset_ranges(batch))

    second = originals(batch, pa.concat_tables([events((0, 3, 2)), first.events]), offset_ranges(batch))

    assert second == first
