"""What a finished micro-batch tells the world: a line in the log, metrics, and a trace if somebody wants one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from concord.speed.quality import Fate
from concord.speed.receipts import Freshness, freshness, is_receipt
from concord.speed.tally import Done, totals
from concord.speed.worker import WORKER
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics
from concord.telemetry.tracing import Step, Traces

log = structlog.get_logger()


@dataclass(frozen=True)
class Finished:
    """A micro-batch whose position is at rest. ``began_at`` is when its attempt began, seconds are durations."""

    query: str
    batch_id: int
    done: Done
    began_at: datetime
    data_seconds: float
    position_seconds: float

    @property
    def parts(self) -> dict[str, float]:
        """Seconds by part, in the order in which they happen."""
        store = min(self.done.measures.get(WORKER, 0.0), self.data_seconds)
        return {"read": self.data_seconds - store, "store": store, "position": self.position_seconds}

    @property
    def ended_at(self) -> float:
        """Seconds since 1970."""
        return self.began_at.timestamp() + self.data_seconds + self.position_seconds

    @property
    def freshness(self) -> Freshness | None:
        return freshness(self.done.measures, self.ended_at)

    @property
    def offsets(self) -> dict[str, dict[str, str]]:
        """``{topic: {partition: "first-last"}}``."""
        found: dict[str, dict[str, str]] = {}
        for tally in self.done.tallies:
            found.setdefault(tally.topic, {})[str(tally.partition)] = f"{tally.first}-{tally.last}"
        return found


Report = Callable[[Finished], None]


def log_line(finished: Finished, trace_id: str | None = None) -> None:
    """One line per micro-batch, with its offsets and, if there is one, the id of its trace."""
    log.info("micro_batch", **line(finished), **({"trace_id": trace_id} if trace_id else {}))


def line(finished: Finished) -> dict[str, Any]:
    """The fields of the line."""
    measures = {name: round(value, 3) for name, value in finished.done.measures.items() if not is_receipt(name)}
    fresh = finished.freshness
    return {
        "query": finished.query,
        "batch_id": finished.batch_id,
        **totals(finished.done.tallies),
        **measures,
        "data_ms": round(finished.data_seconds * 1000),
        "position_ms": round(finished.position_seconds * 1000),
        **({"fresh_p50_ms": round(fresh.median * 1000), "fresh_p99_ms": round(fresh.p99 * 1000)} if fresh else {}),
        "offsets": finished.offsets,
    }


@dataclass(frozen=True)
class Reporter:
    """Tells the log, the metrics and the traces."""

    metrics: Metrics
    traces: Traces | None = None

    def __call__(self, finished: Finished) -> None:
        log_line(finished, self.traces.record(trace(finished)) if self.traces else None)
        count(self.metrics, finished)


def trace(finished: Finished) -> Step:
    """The micro-batch as a trace: a span per part, one after the other."""
    began = at = finished.began_at.timestamp()
    steps = []
    for name, seconds in finished.parts.items():
        steps.append(Step(name, at, at + seconds))
        at += seconds
    return Step("micro_batch", began, at, _attributes(finished), steps)


def _attributes(finished: Finished) -> Mapping[str, str | int | float]:
    offsets = {
        f"concord.offsets.{topic}.{partition}": span
        for topic, spans in finished.offsets.items()
        for partition, span in spans.items()
    }
    counts = {f"concord.{name}": count for name, count in totals(finished.done.tallies).items()}
    return {"concord.query": finished.query, "concord.batch_id": finished.batch_id, **counts, **offsets}


def begin(metrics: Metrics, query: str, faults: Iterable[tuple[str, str]]) -> None:
    """Counters that wait for a first case begin at 0, so that what was never seen has a history too.

    ``faults`` are the pairs (event type, reason) that dead letters may have.
    """
    metrics.add(catalogue.RECORDS_READ, 0, query)
    metrics.add(catalogue.ROWS_DROPPED, 0, query)
    for fate in Fate:
        metrics.add(catalogue.RECORDS_SETTLED, 0, query, fate)
    for event_type, reason in faults:
        metrics.add(catalogue.DEAD_LETTERS, 0, query, event_type, reason)


def count(metrics: Metrics, finished: Finished) -> None:
    """Add the micro-batch to the metrics. What was read comes last: who sees it sees the rest too."""
    query, counts = finished.query, totals(finished.done.tallies)
    for fate in Fate:
        metrics.add(catalogue.RECORDS_SETTLED, counts[fate], query, fate)
    for kind in finished.done.kinds:
        if kind.fate == Fate.DEAD:
            metrics.add(catalogue.DEAD_LETTERS, kind.count, query, kind.event_type, kind.reason)
        metrics.add(catalogue.EVENTS, kind.count, kind.event_type, kind.fate)
    _time(metrics, finished)
    _state(metrics, finished.done.measures)
    metrics.set(catalogue.LAST_BATCH_RECORDS, counts["records_in"], query)
    metrics.add(catalogue.RECORDS_READ, counts["records_in"], query)


def _time(metrics: Metrics, finished: Finished) -> None:
    metrics.add(catalogue.BATCHES, 1, finished.query)
    metrics.set(catalogue.LAST_BATCH_AT, finished.ended_at, finished.query)
    for part, seconds in finished.parts.items():
        spent(metrics, finished.query, part, seconds)
    if fresh := finished.freshness:
        metrics.set(catalogue.FRESHNESS, fresh.median, finished.query, "0.5")
        metrics.set(catalogue.FRESHNESS, fresh.p99, finished.query, "0.99")
        metrics.set(catalogue.FRESHNESS, fresh.worst, finished.query, "1")


def spent(metrics: Metrics, query: str, part: str, seconds: float) -> None:
    """Time of one part of one micro-batch."""
    metrics.add(catalogue.BATCH_SECONDS, seconds, query, part)
    metrics.set(catalogue.LAST_BATCH_SECONDS, seconds, query, part)


def _state(metrics: Metrics, measures: Mapping[str, float]) -> None:
    for name, metric in (("sessions_open", catalogue.SESSIONS_OPEN), ("state_bytes", catalogue.STATE_BYTES)):
        if name in measures:
            metrics.set(metric, measures[name])
