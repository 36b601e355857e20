"""The speed layer's metrics as a whole: what stands from the start, and what is measured now and then."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql.streaming.query import StreamingQuery

from concord.contracts.names import CHANGES_QUERY as CHANGES
from concord.contracts.names import EVENTS_QUERY as EVENTS
from concord.gateways.kafka import Kafka
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.speed.job import SpeedLayer
from concord.speed.probes import BoundProbe, LagProbe, Probes, QueryLogProbe
from concord.speed.progress import ProgressMetrics
from concord.speed.quality import FAULTS, UNTOLD
from concord.speed.report import begin
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics
from concord.telemetry.memory import memory_by_kind


@dataclass(frozen=True)
class Targets:
    """What the speed layer shall bear, and from when on a reader's query counts as slow."""

    events_per_second: float
    freshness_seconds: float
    slow_query_seconds: float


def prepared(metrics: Metrics, targets: Targets, trigger_seconds: float) -> Metrics:
    """With every target, and every series that waits for a first case."""
    metrics.set(catalogue.TARGET_RATE, targets.events_per_second)
    metrics.set(catalogue.FRESHNESS_TARGET, targets.freshness_seconds)
    metrics.set(catalogue.SLOW_THRESHOLD, targets.slow_query_seconds)
    metrics.set(catalogue.TRIGGER_SECONDS, trigger_seconds)
    begin(metrics, EVENTS, FAULTS)
    begin(metrics, CHANGES, [(UNTOLD, BAD_CHANGE_RECORD)])
    metrics.before_scrape(lambda: _memory(metrics))
    return metrics


def probes(metrics: Metrics, layer: SpeedLayer, queries: Sequence[StreamingQuery], targets: Targets) -> Probes:
    """What is to be done every ten seconds."""
    topics = {CHANGES: layer.change_topics, EVENTS: [layer.events_topic]}
    return Probes(
        metrics,
        {
            "idle_bound": layer.idle_bound(),
            "progress": ProgressMetrics(metrics, queries),
            "lag": LagProbe(metrics, layer.store, Kafka(layer.bootstrap), topics),
            "lateness_bound": BoundProbe(metrics, layer.store),
            "query_log": QueryLogProbe(metrics, layer.store, targets.slow_query_seconds),
        },
    )


def _memory(metrics: Metrics) -> None:
    for kind, taken in memory_by_kind().items():
        metrics.set(catalogue.MEMORY, taken, kind)
