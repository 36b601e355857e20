"""One version of a row, and the hops that it has made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from concord.contracts.position import TopicPartition

COMMIT, SOURCE, DEBEZIUM, KAFKA = "PostgreSQL commit", "PostgreSQL row", "Debezium", "Kafka"
MICRO_BATCH, SPEED, SPEED_STATE = "speed micro-batch", "ClickHouse", "ClickHouse state"
LAKE, MIRROR, VERDICT = "lake", "lake mirror", "batch verdict"
RAW, PUBLISHED, STAGED, MART = "RAW", "publication", "STAGING", "mart"


@dataclass(frozen=True, order=True)
class Place:
    """Where Kafka holds the record."""

    partition: int
    offset: int
    topic: str

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition} @ {self.offset}"

    @property
    def of(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)


@dataclass(frozen=True)
class Version:
    """One change of a row, or one event. Times and LSN are what whoever holds it knows of its origin."""

    place: Place
    received_at: datetime
    op: str | None = None
    lsn: int | None = None
    committed_at: datetime | None = None
    captured_at: datetime | None = None


@dataclass(frozen=True)
class Hop:
    """One store or one step. ``note`` says what else there is to know, or why the row is not there."""

    name: str
    is_there: bool
    at: datetime | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    after: str | None = None
    """The hop before it, from which its time is taken."""


@dataclass(frozen=True)
class Journey:
    """A version and its hops, in the order in which rows come by; without a version where nothing has captured it."""

    version: Version | None
    hops: tuple[Hop, ...]

    def seconds(self, hop: Hop) -> float | None:
        """How long the row took from the hop before; None where either time is not known."""
        before = next((other.at for other in self.hops if other.name == hop.after), None)
        if before is None or hop.at is None:
            return None
        return round((hop.at - before).total_seconds(), 3)

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        known: dict[str, Any] = {"topic": None, "partition": None, "offset": None, "op": None}
        if self.version is not None:
            place = self.version.place
            known = {"topic": place.topic, "partition": place.partition, "offset": place.offset, "op": self.version.op}
        return {**known, "hops": [self._hop(hop) for hop in self.hops]}

    def _hop(self, hop: Hop) -> dict[str, Any]:
        return {
            "hop": hop.name,
            "is_there": hop.is_there,
            "at": _plain(hop.at),
            "seconds": self.seconds(hop),
            "after": hop.after,
            "where": {name: _plain(value) for name, value in hop.where.items()},
            "note": hop.note,
        }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def merged(found: Iterable[Version]) -> Sequence[Version]:
    """Each version once, in Kafka's order; whichever store told of it first is believed, for all tell the same."""
    first: dict[Place, Version] = {}
    for version in found:
        first.setdefault(version.place, version)
    return [first[place] for place in sorted(first)]
