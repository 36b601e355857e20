"""What Spark says of a query's micro-batches: the parts that ours do not see, and rows that it dropped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from pyspark.sql.streaming.query import StreamingQuery

from concord.speed.report import spent
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics

log = structlog.get_logger()

PARTS: Mapping[str, Sequence[str]] = {
    "plan": ("latestOffset", "getBatch", "queryPlanning"),
    "checkpoint": ("walCommit", "commitOffsets"),
}
"""Our part → Spark's steps. Reading, storing and the position are within its ``addBatch``."""
WORK = "addBatch"
DROPPED = "numRowsDroppedByWatermark"


@dataclass(frozen=True)
class Progress:
    """One micro-batch as Spark saw it. ``seconds`` by our part."""

    batch_id: int
    seconds: Mapping[str, float]
    state_operators: int
    rows_dropped: int


def progresses(told: Iterable[Mapping[str, Any]]) -> list[Progress]:
    """Of those that had data; between them Spark tells of having had none."""
    return [_progress(each) for each in told if WORK in each.get("durationMs", {})]


def _progress(told: Mapping[str, Any]) -> Progress:
    steps, operators = told["durationMs"], told.get("stateOperators", [])
    return Progress(
        batch_id=told["batchId"],
        seconds={part: sum(steps.get(name, 0) for name in names) / 1000 for part, names in PARTS.items()},
        state_operators=len(operators),
        rows_dropped=sum(operator.get(DROPPED, 0) for operator in operators),
    )


@dataclass
class ProgressMetrics:
    """Call it at least every ten micro-batches: Spark remembers no more. Each is counted once."""

    metrics: Metrics
    queries: Sequence[StreamingQuery]
    _counted: dict[str, int] = field(default_factory=dict)

    def __call__(self) -> None:
        for query in self.queries:
            self.take(str(query.name), progresses(query.recentProgress))

    def take(self, query: str, found: Iterable[Progress]) -> None:
        """Count what has not been counted yet."""
        for progress in found:
            if progress.batch_id > self._counted.get(query, -1):
                self._counted[query] = progress.batch_id
                self._count(query, progress)

    def _count(self, query: str, progress: Progress) -> None:
        for part, seconds in progress.seconds.items():
            spent(self.metrics, query, part, seconds)
        self.metrics.set(catalogue.STATE_OPERATORS, progress.state_operators, query)
        self.metrics.add(catalogue.ROWS_DROPPED, progress.rows_dropped, query)
        if progress.rows_dropped:
            log.error("rows_dropped_by_watermark", query=query, batch_id=progress.batch_id, rows=progress.rows_dropped)
