"""What Spark tells of its micro-batches, as recorded from a query."""

from typing import Any

from concord.speed.progress import Progress, ProgressMetrics, progresses
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics

QUERY = "speed.events"
DURATIONS = {
    "addBatch": 812,
    "commitOffsets": 31,
    "getBatch": 1,
    "latestOffset": 12,
    "queryPlanning": 40,
    "triggerExecution": 951,
    "walCommit": 29,
}


def told(batch_id: int, durations: dict[str, int] | None = None, operators: list[Any] | None = None) -> dict[str, Any]:
    return {"batchId": batch_id, "durationMs": durations or DURATIONS, "stateOperators": operators or []}


def taken(*batches: dict[str, Any]) -> Metrics:
    metrics = Metrics()
    reader = ProgressMetrics(metrics, [])
    for each in batches:
        reader.take(QUERY, progresses([each]))
    return metrics


def test_planning_and_checkpoint_are_sums_of_sparks_steps() -> None:
    assert progresses([told(3)]) == [Progress(3, {"plan": 0.053, "checkpoint": 0.06}, 0, 0)]


def test_a_trigger_without_data_is_no_micro_batch() -> None:
    assert progresses([told(3, {"latestOffset": 4, "triggerExecution": 4}), {"batchId": 4}]) == []


def test_a_batch_that_is_told_again_is_counted_once() -> None:
    metrics = taken(told(3), told(3), told(4))
    assert metrics.value(catalogue.BATCH_SECONDS, QUERY, "checkpoint") == 0.12


def test_without_stateful_operators_nothing_can_be_dropped() -> None:
    metrics = taken(told(3))
    assert (metrics.value(catalogue.STATE_OPERATORS, QUERY), metrics.value(catalogue.ROWS_DROPPED, QUERY)) == (0, 0)


def test_dropped_rows_of_every_operator_are_counted() -> None:
    operators = [{"numRowsDroppedByWatermark": 2}, {"numRowsDroppedByWatermark": 3}, {}]
    metrics = taken(told(3, operators=operators))
    assert (metrics.value(catalogue.STATE_OPERATORS, QUERY), metrics.value(catalogue.ROWS_DROPPED, QUERY)) == (3, 5)
