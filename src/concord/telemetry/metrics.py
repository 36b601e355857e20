"""The catalogue of metrics: each is declared here once, with its name, help and labels.

Names follow Prometheus: base units in the name, ``_total`` for what only grows, times as seconds since 1970.
Alerts, recording rules and ``concord watch`` may use what is here and nothing else.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric moves."""

    COUNTER = "counter"
    """Only grows while the process lives."""
    GAUGE = "gauge"


@dataclass(frozen=True)
class Metric:
    """One metric. ``labels`` are in the order in which values are given."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"concord_{name}_total", Kind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"concord_{name}", Kind.GAUGE, text, labels)


# What became of records. read = stored + dead + duplicate + late, per query, at every micro-batch.
RECORDS_READ = _counter("speed_records_read", "Records read from Kafka, tombstones not counted.", "query")
RECORDS_SETTLED = _counter("speed_records_settled", "Records by what became of them.", "query", "fate")
EVENTS = _counter("speed_events", "Events by type and by what became of them.", "event_type", "fate")
DEAD_LETTERS = _counter("speed_dead_letters", "Invalid records by reason code.", "query", "event_type", "reason")

# Time.
BATCHES = _counter("speed_batches", "Micro-batches stored.", "query")
BATCH_SECONDS = _counter("speed_batch_seconds", "Time spent in micro-batches, by part.", "query", "part")
LAST_BATCH_SECONDS = _gauge("speed_last_batch_seconds", "The last micro-batch's time, by part.", "query", "part")
LAST_BATCH_RECORDS = _gauge("speed_last_batch_records", "Records of the last micro-batch.", "query")
LAST_BATCH_AT = _gauge("speed_last_batch_timestamp_seconds", "When the last micro-batch was stored.", "query")
TRIGGER_SECONDS = _gauge("speed_trigger_interval_seconds", "Time from one micro-batch to the next.")
FRESHNESS = _gauge(
    "speed_freshness_seconds", "From Kafka's receipt to queryable, in the last micro-batch.", "query", "quantile"
)
FRESHNESS_TARGET = _gauge("speed_freshness_target_seconds", "What the 99th percentile of freshness shall not exceed.")

# Load.
TARGET_RATE = _gauge("speed_target_records_per_second", "Events per second that the speed layer shall bear.")
END_OFFSETS = _gauge("kafka_end_offset_records", "Sum of the end offsets of a topic's partitions.", "topic")
LAG_RECORDS = _gauge("speed_lag_records", "Records in Kafka that are not stored yet.", "query", "topic")
LAG_SECONDS = _gauge("speed_lag_seconds", "For how long the oldest of them has been waiting.", "query", "topic")

# State and memory.
LATENESS_BOUND = _gauge("speed_lateness_bound_timestamp_seconds", "Events that happened before it are late.")
SESSIONS_OPEN = _gauge("speed_sessions_open", "Sessions that an event may still change.")
STATE_BYTES = _gauge("speed_state_bytes", "Memory that open sessions take in the worker.")
MEMORY = _gauge("speed_memory_bytes", "Proportional memory (PSS) of the speed layer's processes.", "process")
STATE_OPERATORS = _gauge("speed_state_operators", "Stateful Spark operators; none is expected.", "query")
ROWS_DROPPED = _counter(
    "speed_state_rows_dropped", "Rows that a Spark operator dropped behind its watermark; 0 is expected.", "query"
)

# ClickHouse, over the last minute of its query log.
READER_QUERIES = _gauge("clickhouse_reader_queries", "Queries that ended in the last minute.", "outcome")
SLOW_QUERIES = _gauge("clickhouse_slow_queries", "Of the readers' queries those over the threshold, last minute.")
SLOW_THRESHOLD = _gauge("clickhouse_slow_query_threshold_seconds", "From here on a reader's query is slow.")
READER_SECONDS = _gauge("clickhouse_reader_query_seconds", "Duration of the readers' queries, last minute.", "quantile")
WRITER_SECONDS = _gauge("clickhouse_writer_seconds", "Time the speed layer waited for its statements, last minute.")

PROBE_FAILURES = _counter("speed_probe_failures", "Measurements that failed, by what was asked.", "probe")

CATALOGUE: dict[str, Metric] = {each.name: each for each in list(vars().values()) if isinstance(each, Metric)}
"""Every metric by name."""
