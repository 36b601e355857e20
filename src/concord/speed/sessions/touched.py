"""The owners of a micro-batch's events, and which of them have events out of order."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from concord.rules.sessions import INACTIVITY_MS
from concord.speed.sessions.open_sessions import OpenSessions
from concord.speed.sessions.rows import Flags, Numbers, changes_of, flags, milliseconds
from concord.speed.sessions.segment import NO_TAIL, Tails, tails

OF_TAIL = ["ended_at", "last_event_id", "is_logged_out", "has_login", "user_id"]


@dataclass(frozen=True)
class Touched:
    """Owners by number, in the order of their events.

    ``first`` has each owner's first new event; ``is_late`` marks owners whose new events do not all come
    after everything known of them. ``entries`` of the state are the owners' sessions, in order, and
    ``owner_of`` has the owner of each. ``tails`` are the last sessions, as far as :data:`OF_TAIL` goes,
    ``tail_entries`` their entries and ``tail_of`` the number of each owner's, NO_TAIL if none is known.
    """

    first: pl.DataFrame
    is_late: Flags
    entries: Numbers
    owner_of: Numbers
    tails: pl.DataFrame
    tail_entries: Numbers
    tail_of: Numbers

    @classmethod
    def by(cls, events: pl.DataFrame, known: OpenSessions) -> "Touched":
        """Of events in order."""
        first = events.select("owner", "occurred_at", "event_id").filter(changes_of(events["owner"]))
        owner_of, entries, rows = known.find(first["owner"], OF_TAIL)
        last = np.flatnonzero(np.append(owner_of, -1)[1:] != owner_of)
        is_late = np.zeros(len(first), dtype=bool)
        is_late[owner_of[last]] = ~_is_behind(first[owner_of[last]], rows[last])
        tail_of = np.full(len(first), NO_TAIL)
        tail_of[owner_of[last]] = np.arange(len(last))
        return cls(first, is_late, entries, owner_of, rows.select(OF_TAIL)[last], entries[last], tail_of)

    def less_late(self, owners: pl.DataFrame) -> "Touched":
        """The same, but these owners are not late."""
        named = flags(self.first["owner"].is_in(owners["owner"].implode()))
        return replace(self, is_late=self.is_late & ~named)

    def to_continue(self, events: pl.DataFrame) -> Tails:
        """Sessions that these events may continue: of their owners, in order, all that are not late."""
        known = np.where(self.is_late, NO_TAIL, self.tail_of)
        owners = events["owner"].filter(changes_of(events["owner"]))
        if len(owners) < len(known):
            known = known[flags(self.first["owner"].is_in(owners.implode()))]
        return tails(known, self.tails)

    def late_tails(self) -> Numbers:
        """Entries of late owners' last sessions."""
        return self.tail_entries[self.tail_of[self.is_late]]

    @property
    def late(self) -> pl.DataFrame:
        """Late owners, and time and id of the first new event of each."""
        return self.first.filter(self.is_late).select("owner", new_ms="occurred_at", new_id="event_id")

    def within_reach(self, known: OpenSessions) -> Numbers:
        """Entries of late owners' sessions, but for those that ended over 30 minutes before the first new event."""
        reach = self.first["occurred_at"].to_numpy() - INACTIVITY_MS
        is_affected: Flags = self.is_late[self.owner_of] & (known.ended[self.entries] >= reach[self.owner_of])
        return self.entries[is_affected]


def _is_behind(first: pl.DataFrame, tail: pl.DataFrame) -> Flags:
    pause = first["occurred_at"].to_numpy() - milliseconds(tail["ended_at"])
    is_greater = flags(first["event_id"] > tail["last_event_id"])
    is_behind: Flags = (pause > 0) | ((pause == 0) & is_greater)
    return is_behind
