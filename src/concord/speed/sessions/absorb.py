"""Events out of order that a session takes in without being made anew.

An event between the first and the last of a session leaves the session whole, unless it is a LOGIN or
LOGOUT. If it moves neither the user nor a funnel either, it is only counted, and whatever the session's
length nothing needs to be read again: what keeps an owner of many disordered events cheap.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from concord.contracts.events import EventType
from concord.rules.sessions import FUNNEL, FUNNEL_TIMES
from concord.speed.sessions.fold import counted
from concord.speed.sessions.open_sessions import OpenSessions
from concord.speed.sessions.rows import EVENT_SCHEMA, STEPS, Numbers, changes_of, is_behind
from concord.speed.sessions.segment import NO_TAIL, Runs
from concord.speed.sessions.touched import Touched

ALL_STEPS = len(FUNNEL)
TAIL = "tail_"
"""Stands before the columns of an event's last known session."""


@dataclass(frozen=True)
class Absorbed:
    """Events that are only counted, by owner, and the entries of the sessions they fall into."""

    owners: pl.DataFrame
    events: pl.DataFrame
    entries: Numbers

    @classmethod
    def of(cls, new: pl.DataFrame, touched: Touched, known: OpenSessions, version: int) -> "Absorbed":
        """Of owners whose every event out of order is only counted."""
        entries = touched.late_tails()
        tails = known.read(entries)
        late = new.join(
            tails.select(pl.all().name.prefix(TAIL)), left_on="owner", right_on=f"{TAIL}owner", maintain_order="left"
        )
        told = late.with_columns(_is_new(), _is_counted(version))
        whole = told.group_by("owner").agg((pl.col("is_new") | pl.col("is_counted")).all()).filter("is_new")
        inside = told.filter(~pl.col("is_new")).join(whole, on="owner", how="semi", maintain_order="left")
        is_whole = tails["owner"].is_in(whole["owner"].implode()).to_numpy()
        return cls(whole.select("owner"), inside.select(EVENT_SCHEMA.names()), entries[is_whole])

    def without(self, new: pl.DataFrame) -> pl.DataFrame:
        """The other events, in order."""
        return new.join(self.events, on=["owner", "event_id"], how="anti", maintain_order="left")

    def into(self, rows: pl.DataFrame, entries: Numbers) -> pl.DataFrame:
        """Sessions' rows with these events counted; ``entries`` are the rows'."""
        starts = np.flatnonzero(changes_of(self.events["owner"]))
        runs = _at(entries, self.entries, starts, np.append(starts, len(self.events))[1:])
        return rows.with_columns(counted(self.events, runs, rows))


def _at(entries: Numbers, absorbing: Numbers, starts: Numbers, ends: Numbers) -> Runs:
    """Runs of events for all entries, without any event for those that absorb none."""
    order = np.argsort(entries)
    place = order[np.searchsorted(entries, absorbing, sorter=order)]
    none = np.zeros(len(entries), dtype=np.int64)
    every = Runs(none, none.copy(), np.full(len(entries), NO_TAIL))
    every.starts[place], every.ends[place] = starts, ends
    return every


def _is_new() -> pl.Expr:
    """The event comes after everything known."""
    return is_behind(_event(), (_tail("ended_at").to_physical(), _tail("last_event_id"))).alias("is_new")


def _is_counted(version: int) -> pl.Expr:
    """The event is only counted.

    A session that has this micro-batch's version may have the event already: it is made anew.
    """
    is_inside = is_behind(_event(), (_tail("started_at").to_physical(), _tail("first_event_id")))
    keeps_user = _tail("has_login") | pl.col("user_id").is_null()
    cuts = pl.col("event_type").is_in([EventType.LOGIN.value, EventType.LOGOUT.value])
    return (is_inside & (_tail("version") < version) & keeps_user & ~cuts & _keeps_funnels()).alias("is_counted")


def _keeps_funnels() -> pl.Expr:
    """The event's step was reached before it, in the session's funnel and in those of the categories it concerns."""
    moves_nothing = pl.lit(True)
    for kind, time in zip(FUNNEL, FUNNEL_TIMES, strict=True):
        is_later = (pl.col("occurred_at") > _tail(time).to_physical()).fill_null(False)
        moves_nothing = moves_nothing & ((pl.col("event_type") != kind.value) | (is_later & _keeps_categories(kind)))
    return moves_nothing


def _keeps_categories(kind: EventType) -> pl.Expr:
    """A funnel that was done to the end cannot get further; the others are left to be made anew."""
    steps = _tail(STEPS).list
    if kind in (EventType.CHECKOUT_START, EventType.PURCHASE):
        return steps.eval(pl.element().struct.field("step") == ALL_STEPS).list.all()
    done = pl.struct(pl.col("product_category"), pl.lit(ALL_STEPS, pl.Int8).alias("step"))
    return pl.col("product_category").is_null() | steps.contains(done)


def _event() -> tuple[pl.Expr, pl.Expr]:
    return pl.col("occurred_at"), pl.col("event_id")


def _tail(name: str) -> pl.Expr:
    return pl.col(f"{TAIL}{name}")
