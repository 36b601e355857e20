"""What a dead letter is, and which of them are meant."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from concord.contracts.names import cdc_topic
from concord.contracts.tables import TABLES
from concord.rules.violations import BAD_CHANGE_RECORD, Reason

REASONS = (*map(str, Reason), BAD_CHANGE_RECORD)
"""Every reason code that a dead letter can have."""

TRANSIENT = (str(Reason.IMPOSSIBLE_TIME), str(Reason.UNKNOWN_EVENT_TYPE), str(Reason.UNKNOWN_FIELD))
"""Causes that pass without a fix: a clock that was ahead, a contract that was behind its producer."""

CHANGE_TOPICS = frozenset(cdc_topic(table) for table in TABLES.values())


class Place(NamedTuple):
    """Where a record lies in Kafka; its text is ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises :class:`ValueError` for anything else than ``topic/partition/offset``."""
        found = re.fullmatch(r"([^/]+)/([0-9]+)/([0-9]+)", text)
        if found is None:
            raise ValueError(f"{text!r} is no topic/partition/offset")
        topic, partition, offset = found.groups()
        return cls(topic, int(partition), int(offset))


@dataclass(frozen=True)
class DeadLetter:
    """One record that broke its contract. ``attempts``: how many replays of one original led to it, 0 for
    a record that no replay sent."""

    place: Place
    reason: str
    pointer: str
    detail: str
    original: bytes | None
    received_at: datetime
    first_seen_at: datetime
    attempts: int
    is_replayed: bool

    @property
    def is_change(self) -> bool:
        return self.reason == BAD_CHANGE_RECORD or self.place.topic in CHANGE_TOPICS


@dataclass(frozen=True)
class Selection:
    """The dead letters that meet every condition given. ``until`` is excluded; both are of ``first_seen_at``."""

    places: tuple[Place, ...] = ()
    reasons: tuple[str, ...] = ()
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Replayed letters count only where they are named one by one."""
        return bool(self.places) or not letter.is_replayed


@dataclass(frozen=True)
class Group:
    """Dead letters of one topic and reason; ``example`` is the newest of them."""

    topic: str
    reason: str
    letters: int
    replayed: int
    first_seen_at: datetime
    last_seen_at: datetime
    example: Place
    pointer: str

    @property
    def open(self) -> int:
        return self.letters - self.replayed

    def document(self) -> Mapping[str, Any]:
        """In JSON's types."""
        return {
            "topic": self.topic,
            "reason": self.reason,
            "letters": self.letters,
            "replayed": self.replayed,
            "open": self.open,
            "first_seen_at": self.first_seen_at.isoformat(),
            "last_seen_at": self.last_seen_at.isoformat(),
            "example": str(self.example),
            "pointer": self.pointer,
        }
