"""The clock both layers share: per (topic, partition) the offset of the last data record held.

Never an end offset: transaction markers take up offsets that some readers count and others do not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

NOTHING_HELD = -1


@dataclass(frozen=True)
class TopicPartition:
    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


@dataclass(frozen=True)
class Position:
    """Offsets by topic and partition. A partition it does not name is held up to nothing (−1)."""

    offsets: Mapping[TopicPartition, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, int, int]]) -> "Position":
        """From rows (topic, partition, offset); the highest offset of a partition counts."""
        offsets: dict[TopicPartition, int] = {}
        for topic, partition, offset in rows:
            key = TopicPartition(topic, partition)
            offsets[key] = max(offset, offsets.get(key, NOTHING_HELD))
        return cls(offsets)

    def __getitem__(self, key: TopicPartition) -> int:
        return self.offsets.get(key, NOTHING_HELD)

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        """Rows (topic, partition, offset), in order."""
        for key in sorted(self.offsets, key=lambda tp: (tp.topic, tp.partition)):
            yield key.topic, key.partition, self.offsets[key]

    def merge(self, other: "Position") -> "Position":
        """Element-wise maximum: what is held once both have been taken in."""
        return Position({key: max(self[key], other[key]) for key in {*self.offsets, *other.offsets}})

    def cut(self, other: "Position") -> "Position":
        """Element-wise minimum: the highest position that both hold completely."""
        return Position({key: min(self[key], other[key]) for key in {*self.offsets, *other.offsets}})

    def covers(self, other: "Position") -> bool:
        """True if everything that ``other`` holds is held here too."""
        return all(self[key] >= offset for key, offset in other.offsets.items())

    def before(self) -> "Position":
        """What is held just before these offsets are taken in."""
        return Position({key: offset - 1 for key, offset in self.offsets.items()})

    def of_topic(self, topic: str) -> "Position":
        return Position({key: offset for key, offset in self.offsets.items() if key.topic == topic})

    def behind(self, other: "Position") -> "Position":
        """The partitions, at their offsets here, that ``other`` holds further."""
        return Position({key: self[key] for key, offset in other.offsets.items() if self[key] < offset})

    def as_json(self) -> dict[str, dict[str, int]]:
        """``{topic: {partition: offset}}``, the form in which positions are stored and printed."""
        document: dict[str, dict[str, int]] = {}
        for topic, partition, offset in self:
            document.setdefault(topic, {})[str(partition)] = offset
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Mapping[str, int]]) -> "Position":
        return cls.of((topic, int(p), o) for topic, parts in document.items() for p, o in parts.items())


@dataclass(frozen=True)
class Publication:
    """A batch that readers see: the position its models hold, and the time they took instead of now."""

    batch_id: str
    position: Position
    as_of: datetime
    published_at: datetime
