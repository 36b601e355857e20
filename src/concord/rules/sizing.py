"""What is asked of the speed layer, and how generously machines are cut for it."""

from dataclasses import dataclass

from concord.contracts.names import TOPIC_PARTITIONS

GIB = 1 << 30


@dataclass(frozen=True)
class Demand:
    """What is to be carried, and how long it is kept."""

    events_per_second: float
    event_bytes: float
    """One event as JSON."""
    kafka_days: float
    clickhouse_days: float
    trigger_seconds: float


@dataclass(frozen=True)
class Sizing:
    """How generously machines are cut."""

    used_share: float = 0.6
    """Of a core's time that the load may take: the rest is for bursts, catching up and compactions."""
    cores_per_executor: int = 2
    query_cores: int = 1
    """Of ClickHouse, for the dashboards."""
    query_bytes: float = 2 * GIB
    """Of ClickHouse, for the dashboards."""
    cached_seconds: float = 300
    """How far a reader of Kafka may lag and still read from memory."""
    least_partitions: int = TOPIC_PARTITIONS
    """A topic keeps its number for life, so it does not begin with fewer than Concord declares."""
    partition_bytes_per_second: float = 10e6
    """What one partition should carry at most."""
    kafka_share: float = 0.25
    """Of an event's bytes that Kafka carries and stores, after lz4 by the producer; 0.22 was seen."""
    clickhouse_compression: float = 8.0
    """An event's bytes over those that ClickHouse stores of it; 10.8 was seen of the table ``events`` alone."""
    replicas: int = 1
    """Copies of every byte, in Kafka and in ClickHouse; one machine keeps one."""
    consumers: int = 2
    """Who read every event from Kafka: speed layer and lake."""
    disk_share: float = 0.7
    """Of a disk that may be full: merges and segments that wait for deletion need the rest."""
