"""Which records of the events topic a run is about: all behind the offsets at which it began."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from concord.contracts.names import EVENTS_TOPIC, TOPIC_PARTITIONS
from concord.contracts.position import Position, TopicPartition
from concord.gateways.kafka import Kafka

OF_RUN = "_topic = {topic:String} and _offset >= {starts:Array(Int64)}[_partition + 1]"
"""ClickHouse's condition on any table with a position."""


@dataclass(frozen=True)
class Since:
    """The first offset of a run, per partition."""

    starts: Sequence[int]
    topic: str = EVENTS_TOPIC

    @classmethod
    def now(cls, kafka: Kafka, topic: str = EVENTS_TOPIC) -> "Since":
        """A run that begins behind everything that is in the topic now."""
        # Not behind the last record there is: where all have been deleted, offsets go on nevertheless.
        kept = kafka.kept([topic])
        return cls([kept[TopicPartition(topic, each)][1] for each in range(TOPIC_PARTITIONS)], topic)

    @property
    def params(self) -> dict[str, Any]:
        return {"topic": self.topic, "starts": list(self.starts)}

    def held(self, position: Position) -> int:
        """How many records of the run a position covers."""
        ends = [position[TopicPartition(self.topic, each)] + 1 for each in range(len(self.starts))]
        return sum(max(0, end - start) for end, start in zip(ends, self.starts, strict=True))

    def ends_within(self, position: Position, records: int) -> Sequence[int]:
        """Per partition the offset behind the run's first ``records``, an equal share of each, or behind its last."""
        share = records // len(self.starts)
        ends = (position[TopicPartition(self.topic, each)] + 1 for each in range(len(self.starts)))
        return [max(start, min(end, start + share)) for end, start in zip(ends, self.starts, strict=True)]
