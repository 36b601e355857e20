"""A seeded clickstream as rows of the lake: pauses around the bound, logins of two users, events that come late."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from concord.chaos.oracle import oracle
from concord.contracts.events import EVENTS, EventType
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.rules.ratios import ratio
from concord.rules.sessions import INACTIVITY_MS, owner_of
from concord.speed.sessions.rows import EVENT_SCHEMA
from tests.factories import row
from tests.shop_history import FIRST_DAY

Row = dict[str, Any]
DEVICES = ("phone", "tablet", "till", None)
PAUSES = (1, 60_000, 600_000, INACTIVITY_MS - 1, INACTIVITY_MS, INACTIVITY_MS + 1, 5 * 3_600_000)
WEIGHTS = (1, 6, 5, 2, 2, 2, 2)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Visits:
    """Events so far, in the order in which they arrived."""

    seed: int
    rows: list[Row] = field(default_factory=list)
    stored: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.clock = {device: datetime.combine(FIRST_DAY, time(22), UTC) for device in DEVICES}

    def live(self, events: int) -> "Visits":
        """So many events more, of which some happened long before they came."""
        for _ in range(events):
            self.happen(self.dice.choice(DEVICES))
        return self

    def happen(self, device: str | None) -> None:
        is_late = self.dice.random() < 0.05
        pause = timedelta(milliseconds=self.dice.choices(PAUSES, WEIGHTS)[0])
        if not is_late:
            self.clock[device] += pause
        at = self.clock[device] - (pause if is_late else timedelta())
        event_type = self.dice.choices((*EventType,), (2, 6, 1, 5, 1, 4, 4, 2, 1))[0]
        user = self.dice.choice((1, 2)) if device is None or event_type in ("LOGIN", "LOGOUT") else None
        self.rows.append(self.stored_event(len(self.rows), device, event_type, user, at))

    def stored_event(self, offset: int, device: str | None, kind: EventType, user: int | None, at: datetime) -> Row:
        position = {"_topic": EVENTS_TOPIC, "_partition": 0, "_offset": offset, "_timestamp": at}
        identity = {"event_id": str(UUID(int=self.dice.getrandbits(128))), "anonymous_id": device, "user_id": user}
        return row(EVENTS, 1, **{**identity, "event_type": str(kind), "occurred_at": at, **position})

    def to_store(self) -> Sequence[Row]:
        """What has come since the last time."""
        new, self.stored = self.rows[self.stored :], len(self.rows)
        return new

    def position(self) -> Position:
        return Position.of([(EVENTS_TOPIC, 0, len(self.rows) - 1)]) if self.rows else Position()

    def expected(self) -> list[tuple[Any, ...]]:
        """Rows of the funnel by day, told by the plain oracle of sessions."""
        reached: dict[date, Counter[int]] = {}
        for session in oracle(map(_told, self.rows)).values():
            reached.setdefault(session["started_at"].date(), Counter()).update(range(session["funnel_step"] + 1))
        return [(day, *counts, *_rates(counts)) for day, counts in sorted(_counts(reached).items())]


def _told(event: Row) -> Row:
    """As the oracle reads an event."""
    known = {
        "owner": owner_of(event["anonymous_id"], event["user_id"]),
        "occurred_at": (event["occurred_at"] - EPOCH) // timedelta(milliseconds=1),
        "total_amount": 0,
    }
    return {
        **dict.fromkeys(EVENT_SCHEMA),
        **{name: event[name] for name in ("event_id", "event_type", "user_id")},
        **known,
    }


def _counts(reached: dict[date, Counter[int]]) -> dict[date, list[int]]:
    return {day: [steps[step] for step in range(5)] for day, steps in reached.items()}


def _rates(counts: list[int]) -> list[Any]:
    sessions, viewed, carted, checkouts, purchased = counts
    pairs = ((viewed, sessions), (carted, viewed), (checkouts, carted), (purchased, checkouts), (purchased, sessions))
    return [ratio(part, whole) for part, whole in pairs]
