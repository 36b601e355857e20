"""Made-up visits: events as sessions are made of them, a store that holds them, and what came out of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import polars as pl

from concord.contracts.events import EventType
from concord.rules.sessions import owner_of
from concord.speed.sessions.changes import Changes
from concord.speed.sessions.funnel import deltas
from concord.speed.sessions.rows import EVENT_SCHEMA, SESSION_SCHEMA
from concord.speed.sessions.state import SessionState

Event = dict[str, Any]
Totals = dict[tuple[Any, ...], tuple[Any, ...]]

SECOND, MINUTE = 1_000, 60_000
NOON = 1_767_268_800_000
"""2026-01-01 12:00 UTC in epoch milliseconds."""


def click(event_type: EventType, at: int, number: int, device: str | None = "device", **values: Any) -> Event:
    """An event ``at`` milliseconds after noon whose id is ``number``."""
    known = {
        "owner": owner_of(device, values.get("user_id")),
        "occurred_at": NOON + at,
        "event_id": event_id(number),
        "event_type": event_type.value,
    }
    return {**dict.fromkeys(EVENT_SCHEMA), **known, **values}


def event_id(number: int) -> str:
    return str(UUID(int=number))


def frame(events: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([*events], schema=EVENT_SCHEMA)


@dataclass
class SpeedLayer:
    """Sessions as a speed layer makes them: what is at rest, what is held, what was written."""

    state: SessionState = field(default_factory=SessionState)
    at_rest: list[Event] = field(default_factory=list)
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    minutes: Totals = field(default_factory=dict)
    category_minutes: Totals = field(default_factory=dict)
    reread_owners: list[str] = field(default_factory=list)
    version: int = 0

    def take(self, *events: Event) -> Changes:
        """One micro-batch."""
        self.version += 1
        self.at_rest += events
        changes = self.changes(events)
        self.write(changes)
        self.state.commit(changes)
        return changes

    def changes(self, events: Sequence[Event]) -> Changes:
        """What these events would change."""
        return self.state.update(frame(events), self.reread, self.version)

    def reread(self, owners: pl.DataFrame) -> pl.DataFrame:
        since = dict(owners.select("owner", "from_ms").iter_rows())
        self.reread_owners += since
        return frame(e for e in self.at_rest if e["owner"] in since and e["occurred_at"] >= since[e["owner"]])

    def write(self, changes: Changes) -> None:
        self.written |= {row["session_id"]: row for row in changes.after.to_dicts()}
        minutes, category_minutes = deltas(changes)
        _add(self.minutes, minutes, 3)
        _add(self.category_minutes, category_minutes, 2)

    def restart(self) -> None:
        """Lose the state and make it anew from what was written."""
        self.state = SessionState.of(pl.DataFrame([*self.written.values()], schema=SESSION_SCHEMA))

    @property
    def sessions(self) -> dict[str, dict[str, Any]]:
        """The latest version of every session that was not withdrawn, without its number."""
        return {id: _unversioned(row) for id, row in self.written.items() if not row["is_withdrawn"]}


def _unversioned(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "version"}


def _add(totals: Totals, rows: pl.DataFrame, key: int) -> None:
    for row in rows.iter_rows():
        known = totals.pop(row[:key], (0,) * len(row[key:]))
        total = tuple(have + more for have, more in zip(known, row[key:], strict=True))
        totals.update({row[:key]: total} if any(total) else {})
