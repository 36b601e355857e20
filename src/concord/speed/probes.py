"""What is measured every ten seconds, beside the micro-batches: lag, lateness bound, ClickHouse's queries."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from concord.errors import ConcordError
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.speed.lag import Waiting
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics

log = structlog.get_logger()

Probe = Callable[[], None]

BOUND = "select bound from lateness_bound"
QUERY_LOG = """
select
    user,
    countIf(type = 'QueryFinish') as finished,
    countIf(type != 'QueryFinish') as failed,
    countIf(query_duration_ms >= {slow_ms:UInt64}) as slow,
    sum(query_duration_ms) / 1000 as seconds,
    quantile(0.5)(query_duration_ms) / 1000 as median,
    quantile(0.95)(query_duration_ms) / 1000 as p95
from system.query_log
where event_date >= toDate(now() - interval 1 minute) and event_time >= now() - interval 1 minute
    and type in ('QueryFinish', 'ExceptionBeforeStart', 'ExceptionWhileProcessing')
    and is_initial_query and user in ('reader', 'writer')
group by user
"""
"""A query that its time limit ended is slow too, and counts with the time it had."""
IDLE = {"finished": 0, "failed": 0, "slow": 0, "seconds": 0.0, "median": 0.0, "p95": 0.0}


@dataclass(frozen=True)
class LagProbe:
    """``topics`` by the query that reads them."""

    metrics: Metrics
    store: ClickHouse
    kafka: Kafka
    topics: Mapping[str, Sequence[str]]
    clock: Callable[[], float] = time.monotonic
    waiting: Waiting = field(default_factory=Waiting)

    def __call__(self) -> None:
        held = self.store.position()
        end = self.kafka.end_position([topic for topics in self.topics.values() for topic in topics])
        lags = self.waiting.look(self.clock(), end, held)
        for query, topics in self.topics.items():
            for topic in topics:
                self.metrics.set(catalogue.LAG_RECORDS, lags[topic].records, query, topic)
                self.metrics.set(catalogue.LAG_SECONDS, lags[topic].seconds, query, topic)
                offsets = sum(offset + 1 for _, _, offset in end.of_topic(topic))
                self.metrics.set(catalogue.END_OFFSETS, offsets, topic)


@dataclass(frozen=True)
class BoundProbe:
    """The lateness bound, as sessions see it."""

    metrics: Metrics
    store: ClickHouse

    def __call__(self) -> None:
        for (bound,) in self.store.query(BOUND):
            if bound is not None:
                self.metrics.set(catalogue.LATENESS_BOUND, bound.timestamp())


@dataclass(frozen=True)
class QueryLogProbe:
    """The readers' and our own statements of the last minute."""

    metrics: Metrics
    store: ClickHouse
    slow_seconds: float

    def __call__(self) -> None:
        rows = self.store.query_dicts(QUERY_LOG, {"slow_ms": round(self.slow_seconds * 1000)})
        by_user = {row["user"]: row for row in rows}
        reader, writer = by_user.get("reader", IDLE), by_user.get("writer", IDLE)
        self.metrics.set(catalogue.READER_QUERIES, reader["finished"], "finished")
        self.metrics.set(catalogue.READER_QUERIES, reader["failed"], "failed")
        self.metrics.set(catalogue.SLOW_QUERIES, reader["slow"])
        self.metrics.set(catalogue.READER_SECONDS, reader["median"], "0.5")
        self.metrics.set(catalogue.READER_SECONDS, reader["p95"], "0.95")
        self.metrics.set(catalogue.WRITER_SECONDS, writer["seconds"])


@dataclass(frozen=True)
class Probes:
    """Runs each probe by its name. One that fails is counted and does not keep the others from running."""

    metrics: Metrics
    each: Mapping[str, Probe]

    def __call__(self) -> None:
        for name, probe in self.each.items():
            self.metrics.add(catalogue.PROBE_FAILURES, 0, name)
            try:
                probe()
            except ConcordError as error:
                self.metrics.add(catalogue.PROBE_FAILURES, 1, name)
                log.warning("probe_failed", probe=name, reason=error.message)
