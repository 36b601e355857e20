"""The speed layer's two streaming queries: changes and events, from Kafka to ClickHouse."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from concord.contracts.names import CHANGES_QUERY as CHANGES
from concord.contracts.names import DEAD_LETTER_TOPIC, EVENTS_TOPIC, cdc_topic
from concord.contracts.names import EVENTS_QUERY as EVENTS
from concord.contracts.tables import TABLES
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.gateways.spark import BATCH_RECORDS
from concord.speed.batch_token import BatchToken
from concord.speed.change_logs import StoreChanges
from concord.speed.changes import parsed
from concord.speed.checkpoints import standing
from concord.speed.checkpoints.folder import Folder
from concord.speed.checkpoints.plan import PLANS, made_with
from concord.speed.checkpoints.preflight import Preflight
from concord.speed.dead_letters import StoreDeadLetters
from concord.speed.events import StoreEvents, StoreLargeRecords
from concord.speed.failpoint import Failpoint
from concord.speed.idle import IdleBound
from concord.speed.micro_batch import MicroBatch, unfenced
from concord.speed.records import positioned
from concord.speed.report import Report, log_line
from concord.speed.tally import Done
from concord.speed.validate import large_ones, validated, without_large_originals
from concord.speed.worker import in_one_task

Transformation = Callable[[DataFrame], DataFrame]

SESSION_OPTIONS = {
    # A backlog of events must not keep the changes waiting.
    "spark.scheduler.mode": "FAIR",
    "spark.sql.streaming.minBatchesToRetain": "20",
    "spark.sql.streaming.numRecentProgressUpdates": "10",
    "spark.sql.streaming.metricsEnabled": "false",
    # A plan is written out for every micro-batch, for nobody; and an application that never ends
    # must not remember all of them.
    "spark.sql.maxPlanStringLength": "2000",
    "spark.ui.retainedJobs": "20",
    "spark.ui.retainedStages": "20",
    "spark.ui.retainedTasks": "200",
    "spark.sql.ui.retainedExecutions": "5",
    # Each attempt at a micro-batch that failed leaves what it had read last, 10 MB per partition, for whoever reads on
    # from there, and nobody does. A micro-batch that follows takes it up within seconds.
    "spark.kafka.consumer.fetchedData.cache.timeout": "30s",
    "spark.kafka.consumer.fetchedData.cache.evictorThreadRunInterval": "10s",
}
"""What the session needs for these queries, beyond the defaults of every session."""

JVM_OPTIONS = (
    # A pause of some milliseconds is nothing in two seconds; G1, the default, costs 2 µs more per event for shorter ones.
    "-XX:+UseParallelGC",
    # A plan is made every two seconds, by code so large that the better compiler still found more of it to do after
    # minutes. What is done per record is called this often within a second.
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)
"""Of the Java machine, which on a small machine shares its two cores with Python and ClickHouse."""


@dataclass(frozen=True)
class SpeedLayer:
    """Both queries over one session. ``checkpoints`` must outlive the process.

    ``fence`` is called before each attempt at a micro-batch; it raises where this driver may not write any more.
    """

    spark: SparkSession
    store: ClickHouse
    bootstrap: str
    checkpoints: Folder
    trigger_seconds: int
    max_offsets_per_trigger: int
    clock: Callable[[], datetime]
    failpoint: Failpoint = field(default_factory=Failpoint)
    report: Report = log_line
    fence: Callable[[], None] = unfenced
    events_topic: str = EVENTS_TOPIC
    dead_letter_topic: str = DEAD_LETTER_TOPIC
    change_topics: Sequence[str] = field(default_factory=lambda: [cdc_topic(table) for table in TABLES.values()])

    def start(self) -> list[StreamingQuery]:
        """Start both queries where their checkpoints say, or at the earliest offset."""
        return [self.start_changes(), self.start_events()]

    def start_changes(self) -> StreamingQuery:
        """The four change logs."""
        return self._start(CHANGES, parsed)

    def start_events(self) -> StreamingQuery:
        """The clickstream."""
        return self._start(EVENTS, validated)

    def idle_bound(self) -> IdleBound:
        """What moves the lateness bound while no events come in."""
        return IdleBound(EVENTS, self.store, Kafka(self.bootstrap), self.events_topic, self.clock)

    def write_changes(self, changes: DataFrame, token: BatchToken, planned_at: datetime) -> Done:
        """Four change logs, one insert each. Changes are few: one task reads, parses and stores them."""
        return in_one_task(changes.coalesce(1), StoreChanges(self.store, token), CHANGES, planned_at)

    def write_events(self, events: DataFrame, token: BatchToken, planned_at: datetime) -> Done:
        """Valid events and dead letters. Validation keeps all cores, storing is one task."""
        bury = StoreDeadLetters(self.store, self.bootstrap, self.dead_letter_topic, token, self.failpoint)
        work = StoreEvents(self.store, token, bury, self.failpoint)
        done = in_one_task(without_large_originals(events).repartition(1), work, EVENTS, planned_at)
        if not done.large:
            return done
        with one_at_a_time(events.sparkSession):
            rest = in_one_task(large_ones(events).coalesce(1), StoreLargeRecords(bury), EVENTS, planned_at)
        return replace(done, kinds=[*done.kinds, *rest.kinds])

    def topics(self, query: str) -> Sequence[str]:
        """What the query reads."""
        return [self.events_topic] if query == EVENTS else self.change_topics

    def micro_batch(self, query: str, planned: Callable[[int], datetime]) -> MicroBatch:
        """What is done with every micro-batch of the query, whoever makes it and has ``planned`` it."""
        write = self.write_events if query == EVENTS else self.write_changes
        return MicroBatch(query, write, self.store, self.clock, planned, self.failpoint, self.report, self.fence)

    def _start(self, query: str, transformed: Transformation) -> StreamingQuery:
        topics = self.topics(query)
        self._look_first(query, topics)
        self.spark.sparkContext.setLocalProperty("spark.scheduler.pool", query)
        return (
            transformed(self._records(topics))
            .writeStream.queryName(query)
            .foreachBatch(self.micro_batch(query, partial(standing.planned_at, self.checkpoints, query)).__call__)
            .option("checkpointLocation", f"{self.checkpoints.address}/{query}")
            .trigger(processingTime=f"{self.trigger_seconds} seconds")
            .start()
        )

    def _look_first(self, query: str, topics: Sequence[str]) -> None:
        kafka = Kafka(self.bootstrap)
        preflight = Preflight(self.checkpoints, kafka, self.store, query)
        preflight(made_with(kafka, query, topics), PLANS[query].is_ordered_by_partition)

    def _records(self, topics: Sequence[str]) -> DataFrame:
        source = self.spark.readStream.format("kafka").options(**dict(self._source_options(topics)))
        return positioned(source.load())

    def _source_options(self, topics: Sequence[str]) -> Iterator[tuple[str, str]]:
        yield "kafka.bootstrap.servers", self.bootstrap
        yield "subscribe", ",".join(topics)
        yield "startingOffsets", "earliest"
        yield "failOnDataLoss", "true"
        yield "maxOffsetsPerTrigger", str(self.max_offsets_per_trigger)
        yield "kafka.isolation.level", "read_committed"
        yield "kafka.max.poll.records", "20000"
        # A range that ends in transaction markers has no last record to see: the consumer asks for more, and the
        # broker would keep it waiting half a second (its default) per partition, eight for the change topics.
        yield "kafka.fetch.max.wait.ms", "20"
        yield "kafka.max.partition.fetch.bytes", str(8 << 20)


@contextmanager
def one_at_a_time(session: SparkSession) -> Iterator[None]:
    """Records go to Python one by one: what is too large to be an event may be of any size."""
    usual = session.conf.get(BATCH_RECORDS)
    session.conf.set(BATCH_RECORDS, "1")
    try:
        yield
    finally:
        session.conf.set(BATCH_RECORDS, str(usual))
