"""Where two layers are compared: a position, and for the source a fence below it."""

from dataclasses import dataclass

from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.position import Position
from concord.contracts.state import held_by
from concord.contracts.tables import TABLES

CDC_TOPICS = tuple(cdc_topic(table) for table in TABLES.values())


@dataclass(frozen=True)
class Cut:
    """The changes that count: at or below ``position`` and, at a fence, before its LSN."""

    position: Position
    below_lsn: int | None = None

    def predicate(self, topic: str) -> str:
        """SQL, the same in every engine, true for the changes of ``topic`` that count."""
        inside = held_by(self.position.of_topic(topic))
        return inside if self.below_lsn is None else f"{inside} and __source_lsn < {self.below_lsn}"

    def of_events(self) -> str:
        """The same for the clickstream, which no fence divides."""
        return held_by(self.position.of_topic(EVENTS_TOPIC))


def tables_only(position: Position) -> Position:
    """The part of a position that speaks of the four tables."""
    return Position({key: offset for key, offset in position.offsets.items() if key.topic in CDC_TOPICS})
