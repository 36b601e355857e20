"""Where sessions begin in an ordered sequence of events."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from concord.contracts.events import EventType
from concord.rules.sessions import INACTIVITY_MS
from concord.speed.sessions.rows import Flags, Numbers, changes_of, flags, milliseconds

NOBODY = -1
"""Stands for the user where none is named."""

NO_TAIL = -1


@dataclass(frozen=True)
class Tails:
    """The last known session of owners; numbered.

    ``of_owner[i]`` is the number of the i-th owner's, NO_TAIL if there is none that an event may continue.
    """

    of_owner: Numbers
    ended: Numbers
    is_logged_out: Flags
    named: Numbers


@dataclass(frozen=True)
class Runs:
    """Sessions as runs of rows: the i-th goes from ``starts[i]`` to before ``ends[i]``.

    ``tails[i]`` is the number of the known session that it continues, NO_TAIL if it begins a new one.
    """

    starts: Numbers
    ends: Numbers
    tails: Numbers

    @property
    def continuing(self) -> "Runs":
        """Those that continue a session."""
        return self.at(np.flatnonzero(self.tails != NO_TAIL))

    @property
    def beginning(self) -> "Runs":
        """Those that begin one."""
        return self.at(np.flatnonzero(self.tails == NO_TAIL))

    def at(self, numbers: Numbers) -> "Runs":
        """Those with these numbers, in this order."""
        return Runs(self.starts[numbers], self.ends[numbers], self.tails[numbers])

    def then(self, others: "Runs") -> "Runs":
        """These, and behind them the others."""
        return Runs(*(np.append(*each) for each in zip(self._columns, others._columns, strict=True)))

    @property
    def _columns(self) -> tuple[Numbers, Numbers, Numbers]:
        return self.starts, self.ends, self.tails


def tails(of_owner: Numbers, sessions: pl.DataFrame) -> Tails:
    """Tails of the sessions' rows."""
    user = sessions["user_id"].fill_null(NOBODY).to_numpy()
    return Tails(
        of_owner,
        milliseconds(sessions["ended_at"]),
        flags(sessions["is_logged_out"]),
        np.where(flags(sessions["has_login"]), user, NOBODY),
    )


def runs(events: pl.DataFrame, known: Tails) -> Runs:
    """Cut ``events``, which are in order, into sessions; each event of an owner with a tail comes after it."""
    first = np.flatnonzero(changes_of(events["owner"]))
    is_cut = _is_cut_by_time_or_logout(events, first, known)
    is_cut[_logins_of_others(events, is_cut, first, known)] = True
    continues = first[~is_cut[first]]
    starts = np.union1d(np.flatnonzero(is_cut), continues)
    tail_at = np.full(len(events), NO_TAIL)
    tail_at[continues] = known.of_owner[~is_cut[first]]
    return Runs(starts, np.append(starts, len(events))[1:], tail_at[starts])


def _is_cut_by_time_or_logout(events: pl.DataFrame, first: Numbers, known: Tails) -> Flags:
    times = events["occurred_at"].to_numpy()
    is_cut = np.ones(len(times), dtype=bool)
    is_cut[1:] = (np.diff(times) > INACTIVITY_MS) | _is(events, EventType.LOGOUT)[:-1]
    has_tail = known.of_owner != NO_TAIL
    tail = known.of_owner[has_tail]
    is_cut[first] = True
    pause = times[first[has_tail]] - known.ended[tail]
    is_cut[first[has_tail]] = (pause > INACTIVITY_MS) | known.is_logged_out[tail]
    return is_cut


def _logins_of_others(events: pl.DataFrame, is_cut: Flags, first: Numbers, known: Tails) -> Numbers:
    """Rows of LOGINs whose user is not the one named by the LOGIN before it, if none of ``is_cut`` lies between.

    The last LOGIN speaks for all of a session: had it named another user, it would have begun one.
    """
    logins = np.flatnonzero(_is(events, EventType.LOGIN))
    users = events["user_id"].gather(logins).fill_null(NOBODY).to_numpy()
    earlier, earlier_user = np.append(-1, logins)[:-1], np.append(NOBODY, users)[:-1]
    stretch = _start_of_stretch(is_cut, first)[logins]
    by_tail = _named_by_tail(is_cut, first, known)[stretch]
    named = np.where(earlier >= stretch, earlier_user, by_tail)
    is_other: Flags = (named != NOBODY) & (named != users)
    return logins[is_other]


def _start_of_stretch(is_cut: Flags, first: Numbers) -> Numbers:
    is_start = is_cut.copy()
    is_start[first] = True
    return np.maximum.accumulate(np.where(is_start, np.arange(len(is_start)), 0))


def _named_by_tail(is_cut: Flags, first: Numbers, known: Tails) -> Numbers:
    """At the first row of an owner whose tail goes on: whom the tail's LOGIN names."""
    named = np.full(len(is_cut), NOBODY)
    goes_on = ~is_cut[first]
    named[first[goes_on]] = known.named[known.of_owner[goes_on]]
    return named


def _is(events: pl.DataFrame, event_type: EventType) -> Flags:
    return flags(events["event_type"] == event_type.value)
