"""Micro-batches read from the speed layer's log, and what a run's looks say of its lag."""

import json

from concord.bench.batches import batches, drained_per_second, parts, summary
from concord.bench.observe import Moment, flow


def line(batch_id, records=100, second=0, query="speed.events", **more):
    said = {
        "event": "micro_batch", "query": query, "batch_id": batch_id, "records_in": records, "data_ms": 900,
        "position_ms": 100, "worker_seconds": 0.5, "timestamp": f"2026-01-01T00:00:{second:02}Z", **more,
    }  # fmt: skip
    return json.dumps(said)


def test_only_micro_batches_of_events_with_records_count():
    log = [
        "no json",
        '{"event": "ready"}',
        line(1, query="speed.changes"),
        line(2, records=0),
        line(3),
        '{"micro_batch"',
    ]
    assert [batch.batch_id for batch in batches(log)] == [3]


def test_what_ended_before_is_left_out():
    log = [line(1, second=1), line(2, second=5)]
    middle = batches(log)[0].ended_at + 1
    assert [batch.batch_id for batch in batches(log, since=middle)] == [2]


def test_a_summary_is_per_record():
    found = summary(batches([line(1), line(2, records=300)]))
    assert (found["batches"], found["records_per_batch"], found["worker_us_per_event"]) == (2, 200, 2500)


def test_the_middle_micro_batch_is_parted_into_reading_and_storing():
    assert parts(summary(batches([line(1), line(2, records=300)]))) == {"read": 0.5, "store": 0.5}
    assert parts(summary([])) == {}


def test_a_drain_is_measured_from_the_end_of_the_first_micro_batch():
    assert drained_per_second(batches([line(1, second=0), line(2, 400, second=2), line(3, 600, second=10)])) == 100
    assert drained_per_second(batches([line(1)])) is None


def moments(lags):
    return [Moment(second, 1000 * second + lag, 1000 * second, 0.0, 0) for second, lag in enumerate(lags)]


def test_a_saw_is_flat():
    found = flow(moments([0, 2000, 100, 2000] * 15), 0, 60, 1000)
    assert found is not None
    assert found.is_flat
    assert (found.held_per_second, found.largest_lag) == (1000, 2000)


def test_a_lag_that_grows_is_not_flat():
    found = flow(moments([20 * second for second in range(60)]), 0, 60, 1000)
    assert found is not None
    assert not found.is_flat
    assert round(found.lag_grows_per_second) == 20
