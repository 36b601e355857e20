"""Lateness is a property of the record alone, and the bound keeps its promise in whatever order records come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.behaviour import LATENESS_SECONDS
from concord.speed.lateness import ALLOWED, PLANNING, bound_after, is_late

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANT = pa.timestamp("us", "UTC")
Record = tuple[int, datetime, datetime]
"""Partition, receipt, and the beginning of the micro-batch."""


def happened(*before_receipt: timedelta) -> pa.Table:
    rows = [{"_timestamp": NOON, "occurred_at": NOON - before} for before in before_receipt]
    return pa.Table.from_pylist(rows, schema=pa.schema([("_timestamp", INSTANT), ("occurred_at", INSTANT)]))


def records(*rows: Record) -> pa.Table:
    fields = [("_topic", pa.string()), ("_partition", pa.int32()), ("_timestamp", INSTANT), ("batch_at", INSTANT)]
    made = [{"_topic": "t", "_partition": p, "_timestamp": at, "batch_at": began} for p, at, began in rows]
    return pa.Table.from_pylist(made, schema=pa.schema(fields))


def test_an_event_is_late_from_the_first_millisecond_beyond_the_bound() -> None:
    allowed, one = timedelta(seconds=LATENESS_SECONDS), timedelta(milliseconds=1)
    table = happened(allowed - one, allowed, allowed + one, timedelta(hours=25))
    assert is_late(table).to_pylist() == [False, False, True, True]


def test_an_event_of_the_future_is_not_late() -> None:
    assert is_late(happened(-timedelta(minutes=5))).to_pylist() == [False]


def test_the_slowest_partition_holds_the_bound() -> None:
    read = records((0, NOON, NOON), (0, NOON - timedelta(hours=1), NOON), (1, NOON - timedelta(minutes=9), NOON))
    assert bound_after(read) == NOON - timedelta(minutes=9) - ALLOWED


def test_a_partition_that_brought_nothing_holds_the_bound_at_the_planning_of_the_batch() -> None:
    assert bound_after(records((0, NOON + timedelta(hours=1), NOON))) == NOON - PLANNING - ALLOWED


receipts = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7_200)), min_size=1, max_size=30)


@given(receipts, st.data())
def test_no_timely_event_of_a_later_batch_happened_before_the_bound(
    received: Sequence[tuple[int, int]], data: st.DataObject
) -> None:
    """Each partition's receipts rise; a batch takes a prefix of every partition that has something."""
    logs = {p: sorted(s for q, s in received if q == p) for p, _ in received}
    taken = {p: data.draw(st.integers(1, len(log))) for p, log in logs.items()}
    began = NOON + timedelta(seconds=max(s for _, s in received))
    read = records(*((p, NOON + timedelta(seconds=s), began) for p in logs for s in logs[p][: taken[p]]))

    bound = bound_after(read)

    for partition, log in logs.items():
        for seconds in log[taken[partition] :]:
            assert NOON + timedelta(seconds=seconds) - ALLOWED >= bound
