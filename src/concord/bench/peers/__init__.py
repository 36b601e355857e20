"""What a user would pick instead, run on the same topic with the same events."""

from enum import StrEnum


class Peer(StrEnum):
    """Other ways from the topic to tables."""

    CLICKHOUSE_KAFKA_ENGINE = "clickhouse-kafka-engine"
    FLINK = "flink"
