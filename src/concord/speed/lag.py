"""How far the store is behind Kafka, in records and in time."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from concord.contracts.position import Position

REMEMBERED = 4000
"""Looks, one every ten seconds: half a day."""


@dataclass(frozen=True)
class Lag:
    """Of one topic. ``seconds`` is how long the oldest record has been waiting, to the precision of the looks."""

    records: int
    seconds: float


@dataclass
class Waiting:
    """Remembers when each end of the topics was first seen. A wait that began before its first look looks shorter."""

    _looks: deque[tuple[float, Position]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def look(self, at: float, end: Position, held: Position) -> Mapping[str, Lag]:
        """By topic, at ``at`` (seconds of a clock that never goes back). ``held`` and ``end`` were read in this order."""
        self._looks.append((at, end))
        topics = sorted({topic for topic, _, _ in end})
        lags = {topic: self._lag(topic, at, end.of_topic(topic), held) for topic in topics}
        self._forget(held)
        return lags

    def _lag(self, topic: str, at: float, end: Position, held: Position) -> Lag:
        records = sum(max(0, offset - held[key]) for key, offset in end.offsets.items())
        since = next((seen for seen, then in self._looks if not held.covers(then.of_topic(topic))), at)
        return Lag(records, at - since)

    def _forget(self, held: Position) -> None:
        """Looks whose every record is stored say nothing any more."""
        while self._looks and held.covers(self._looks[0][1]):
            self._looks.popleft()
