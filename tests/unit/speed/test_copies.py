"""Copies are told from originals, and a second run sees no difference."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from concord.contracts.events import EVENTS
from concord.dialects.arrow import arrow_schema
from concord.speed.copies import known, originals
from concord.speed.tally import offset_ranges
from tests.factories import row

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def position(offset: int, partition: int) -> dict[str, Any]:
    return {"_topic": "t", "_partition": partition, "_offset": offset, "_timestamp": RECEIVED}


def events(*rows: tuple[int, int, int]) -> pa.Table:
    """Events as (partition, offset, number of the id)."""
    made = [
        row(EVENTS, **{**position(offset, partition), "event_id": str(uuid.UUID(int=number))})
        for partition, offset, number in rows
    ]
    return pa.Table.from_pylist(made, schema=arrow_schema(EVENTS))


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


class Asked:
    """A store that remembers which tables it was asked about."""

    def __init__(self) -> None:
        self.tables: list[str] = []

    def query_arrow(self, sql: str, given: dict[str, pa.Table]) -> pa.Table:
        self.tables.append(sql.split(" from ")[1].split()[0])
        return NONE_KNOWN.select(["event_id", "_topic", "_partition", "_offset"])


def test_late_events_are_looked_for_where_old_ones_are() -> None:
    batch, timely, late = events((0, 1, 1), (0, 2, 2)), Asked(), Asked()

    known(timely, batch, batch.slice(0, 0))  # type: ignore[arg-type]
    known(late, batch, batch)  # type: ignore[arg-type]

    assert timely.tables == ["recent_ids"]
    assert late.tables == ["recent_ids", "events", "events_late"]
