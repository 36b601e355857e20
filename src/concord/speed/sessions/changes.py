"""What one micro-batch does to the sessions."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from concord.contracts.behaviour import SESSION_CATEGORIES
from concord.speed.sessions.rows import SESSION_SCHEMA, STEPS, Numbers

PAIR = ["session_id", "product_category"]
CONTENT = [name for name in SESSION_SCHEMA.names() if name != "version"]


@dataclass(frozen=True)
class Recomputed:
    """Sessions of owners with an event out of order: what they were and what their events make of them.

    ``was`` are all rows of the stretch that was recomputed, ``entries`` where the state holds them.
    """

    entries: Numbers
    was: pl.DataFrame
    now: pl.DataFrame

    @cached_property
    def unchanged(self) -> pl.DataFrame:
        """Rows, as they were, of which nothing but the version would differ."""
        return self.was.join(self.now, on=CONTENT, how="semi", nulls_equal=True)

    @cached_property
    def changed_from(self) -> pl.DataFrame:
        return _without(self.was, self.unchanged)

    @cached_property
    def changed_to(self) -> pl.DataFrame:
        return _without(self.now, self.unchanged)

    @cached_property
    def withdrawn(self) -> pl.DataFrame:
        """Rows whose sessions no longer are."""
        return _without(self.was, self.now)


@dataclass(frozen=True)
class Changes:
    """Sessions that go on (``continued`` → ``grown``, at ``entries``), begin, or were recomputed.

    ``revision`` is the state's that they were computed from.
    """

    entries: Numbers
    continued: pl.DataFrame
    grown: pl.DataFrame
    begun: pl.DataFrame
    recomputed: Recomputed
    version: int
    revision: int

    @cached_property
    def before(self) -> pl.DataFrame:
        """The last version known of each session that changes or is withdrawn."""
        return self._held_before().select(SESSION_SCHEMA.names())

    @cached_property
    def after(self) -> pl.DataFrame:
        """The new version of each session that changes, begins or is withdrawn."""
        return pl.concat([self._held_after(), self._withdrawn()]).select(SESSION_SCHEMA.names())

    @cached_property
    def categories_before(self) -> pl.DataFrame:
        """``before`` by product category."""
        return _by_category(self._held_before())

    @cached_property
    def categories_after(self) -> pl.DataFrame:
        """``after`` by product category; what a session no longer has is withdrawn."""
        now, was = _by_category(self._held_after()), self.categories_before
        gone = was.join(now, on=PAIR, how="anti")
        return pl.concat([now, gone.with_columns(is_withdrawn=pl.lit(True), version=pl.lit(self.version, pl.Int64))])

    def _held_before(self) -> pl.DataFrame:
        return pl.concat([self.continued, self.recomputed.changed_from])

    def _held_after(self) -> pl.DataFrame:
        return pl.concat([self.grown, self.begun, self.recomputed.changed_to])

    def _withdrawn(self) -> pl.DataFrame:
        marks = pl.lit(True).alias("is_withdrawn"), pl.lit(self.version, pl.Int64).alias("version")
        return self.recomputed.withdrawn.with_columns(*marks)


def _without(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return rows.join(others, on="session_id", how="anti", maintain_order="left")


def _by_category(held: pl.DataFrame) -> pl.DataFrame:
    steps = held.select("session_id", "started_at", "is_withdrawn", "version", STEPS).filter(
        pl.col(STEPS).list.len() > 0
    )
    each = steps.explode(STEPS).unnest(STEPS).with_columns(funnel_step=pl.col("step").cast(pl.Int32))
    return each.select(SESSION_CATEGORIES.names)
