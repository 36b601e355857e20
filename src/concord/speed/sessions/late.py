"""Owners with an event out of order: which of their sessions are made anew, and from where.

Sessions are cut from the first event to the last, so an event can change the session it falls into or
follows, and those behind. All before stays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from concord.speed.sessions.open_sessions import OpenSessions
from concord.speed.sessions.rows import EVENT_SCHEMA, Flags, Numbers, as_events, changes_of, flags, in_order, is_behind
from concord.speed.sessions.touched import Touched

Reread = Callable[[pl.DataFrame], pl.DataFrame]
"""Given ``owner`` and ``from_ms``: every timely event at rest of these owners at or after that time.

The columns are those of ``EVENT_SCHEMA``, the order is free; the micro-batch's own events may be among them.
"""


@dataclass(frozen=True)
class Late:
    """Late ``owners`` with their first new event, and the sessions to be made anew, at ``entries`` of the state."""

    owners: pl.DataFrame
    entries: Numbers
    was: pl.DataFrame

    @classmethod
    def of(cls, touched: Touched, known: OpenSessions) -> "Late":
        entries = touched.within_reach(known)
        was = known.read(entries)
        first = was.join(touched.late, on="owner", how="left", maintain_order="left")
        is_before = _is_before(first)
        is_followed = np.append(is_before[1:] & ~changes_of(was["owner"])[1:], False)[: len(was)]
        is_changeable = ~(is_before & is_followed)
        return cls(touched.late, entries[is_changeable], was.filter(is_changeable))

    def events(self, new: pl.DataFrame, reread: Reread) -> pl.DataFrame:
        """All events in order: of late owners those their sessions are made anew from, of others the new ones."""
        if self.owners.is_empty():
            return new
        since = self._since()
        at_rest = as_events(reread(since.select("owner", "from_ms")))
        both = pl.concat([new.join(since, on="owner", how="semi"), at_rest]).unique(["owner", "event_id"])
        anew = both.join(since, on="owner").filter(_is_after_start()).select(EVENT_SCHEMA.names())
        return in_order(pl.concat([new.join(since, on="owner", how="anti"), anew]))

    def _since(self) -> pl.DataFrame:
        """Where each owner's events begin: at the first new event or session, whichever is earlier.

        An event of the same millisecond may belong to a session before, so the event's id is part of it.
        """
        known = self.was.select("owner", from_ms=pl.col("started_at").to_physical(), from_id="first_event_id")
        new = self.owners.select("owner", from_ms="new_ms", from_id="new_id")
        in_order = pl.concat([new, known]).sort("owner", "from_ms", "from_id")
        return in_order.unique("owner", keep="first", maintain_order=True)


def _is_before(sessions: pl.DataFrame) -> Flags:
    """True for sessions that begin before their owner's new event."""
    started = pl.col("started_at").to_physical(), pl.col("first_event_id")
    return flags(sessions.select(is_behind((pl.col("new_ms"), pl.col("new_id")), started)).to_series())


def _is_after_start() -> pl.Expr:
    start = pl.col("from_ms"), pl.col("from_id")
    return ~is_behind(start, (pl.col("occurred_at"), pl.col("event_id")))
