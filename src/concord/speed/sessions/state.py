"""What is known of the sessions that are not final, and what a micro-batch makes of them.

The state is a cache. Its truth is the table ``sessions``: the highest version of each session there up to
micro-batch N is the state after micro-batch N, whoever rebuilds it (:meth:`SessionState.of`).
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from concord.speed.sessions.absorb import Absorbed
from concord.speed.sessions.categories import steps_of_document
from concord.speed.sessions.changes import Changes, Recomputed
from concord.speed.sessions.fold import fold
from concord.speed.sessions.late import Late, Reread
from concord.speed.sessions.open_sessions import OpenSessions
from concord.speed.sessions.rows import SESSION_SCHEMA, as_events, in_order
from concord.speed.sessions.segment import runs
from concord.speed.sessions.touched import Touched

IN_SESSION_ORDER = ("owner", "started_at", "first_event_id")


@dataclass
class SessionState:
    """Every session that an event may still change."""

    open: OpenSessions = field(default_factory=OpenSessions)
    revision: int = 0

    @classmethod
    def of(cls, sessions: pl.DataFrame) -> "SessionState":
        """The state that these rows leave: the highest version of each session, as ``sessions`` has it."""
        kept = sessions.filter(~pl.col("is_withdrawn")).select(
            pl.col(name).cast(kind) for name, kind in SESSION_SCHEMA.items()
        )
        state = cls()
        state.open.add(kept.with_columns(steps_of_document(kept["category_steps"])).sort(IN_SESSION_ORDER))
        return state

    @property
    def rows(self) -> int:
        """Sessions held."""
        return len(self.open)

    @property
    def bytes(self) -> int:
        """Memory held."""
        return self.open.bytes

    def update(self, events: pl.DataFrame, reread: Reread, version: int) -> Changes:
        """What the micro-batch ``version`` with these events changes; the state stays as it is.

        Owners whose events come after everything known of them cost those events alone, however long their
        sessions are; so do events out of order that are only counted. Of other owners the sessions that an
        event may change are made anew from what ``reread`` gives.

        An event comes in one micro-batch only: copies in later ones were told apart before. Versions rise. A
        micro-batch that comes again under its own version, wholly or partly in the state, changes what it had
        not changed yet.
        """
        new = in_order(as_events(events))
        touched = Touched.by(new, self.open)
        absorbed = Absorbed.of(new, touched, self.open, version)
        touched = touched.less_late(absorbed.owners)
        late = Late.of(touched, self.open)
        return self._changes(late.events(absorbed.without(new), reread), touched, absorbed, late, version)

    def _changes(self, events: pl.DataFrame, touched: Touched, absorbed: Absorbed, late: Late, version: int) -> Changes:
        sessions = runs(events, touched.to_continue(events))
        going_on = sessions.continuing
        going_on = going_on.at(self.open.by_row(touched.tail_entries[going_on.tails]))
        entries = touched.tail_entries[going_on.tails]
        continued = self.open.read(entries)
        rows = fold(events, going_on.then(sessions.beginning), continued, version)
        grown, begun = rows[: len(entries)], rows[len(entries) :]
        quiet = np.setdiff1d(absorbed.entries, entries)
        unmoved = self.open.read(quiet)
        entries, continued = np.append(entries, quiet), pl.concat([continued, unmoved])
        grown = pl.concat([grown, unmoved.with_columns(version=pl.lit(version, pl.Int64))])
        return Changes(
            entries,
            continued,
            absorbed.into(grown, entries),
            begun.join(late.owners, on="owner", how="anti", maintain_order="left"),
            Recomputed(late.entries, late.was, begun.join(late.owners, on="owner", how="semi", maintain_order="left")),
            version,
            self.revision,
        )

    def commit(self, changes: Changes) -> None:
        """Make the changes part of the state. Raises ValueError if it is no longer what they came from."""
        if changes.revision != self.revision:
            raise ValueError(f"changes of revision {changes.revision} come too late for revision {self.revision}")
        recomputed = changes.recomputed
        self.open.grow(changes.entries, changes.grown)
        self.open.remove(recomputed.entries)
        kept = pl.concat([recomputed.unchanged, recomputed.changed_to]).sort(IN_SESSION_ORDER)
        self.open.add(pl.concat([changes.begun, kept]))
        self.open.tidy(appended=len(changes.grown) + len(changes.begun) + len(kept))
        self.revision += 1

    def settle(self, bound_ms: int) -> int:
        """Drop sessions that no event at or after the bound (epoch ms) can change; says how many."""
        dropped = self.open.remove_final(bound_ms)
        self.revision += dropped > 0
        return dropped
