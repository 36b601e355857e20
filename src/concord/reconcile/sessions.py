"""Which sessions two layers must agree on: those that both made of the same events.

The speed layer keeps late events out of sessions, and each layer may hold events above the cut. An event that only
one of them has reaches every session of its owner from which no pause parts it; those are set aside, on both
sides. All others, open ones too, are a function of events that both layers hold, so they must be equal.
"""

from dataclasses import dataclass

import polars as pl

from concord.rules.sessions import INACTIVITY_MS

LATE = "late_events"
SPAN = ["owner", "started_at", "ended_at", "is_strange"]


@dataclass(frozen=True)
class Comparable:
    """Sessions of both layers that must be equal; ``set_aside`` are the others, counted once each."""

    speed: pl.DataFrame
    batch: pl.DataFrame
    set_aside: int


def comparable(speed: pl.DataFrame, batch: pl.DataFrame, beyond: pl.DataFrame, since_ms: int) -> Comparable:
    """Sessions in canonical form, split by reach. ``beyond`` are owner and time of events above the cut.

    A session that began before ``since_ms`` counts as one with a strange event: what reaches it is not all here.
    """
    is_early = pl.col("started_at") < since_ms
    spans = [
        _spans(speed, is_early),
        _spans(batch, is_early | (pl.col(LATE) > 0)),
        _spans(beyond.select("owner", started_at="occurred_at", ended_at="occurred_at"), pl.lit(True)),
    ]
    reached = _reached(pl.concat(spans))
    kept = [side.join(reached, on=["owner", "started_at"], how="anti") for side in (speed, batch.drop(LATE))]
    aside = [side.join(reached, on=["owner", "started_at"], how="semi")["session_id"] for side in (speed, batch)]
    return Comparable(kept[0], kept[1], pl.concat(aside).n_unique())


def _spans(rows: pl.DataFrame, is_strange: pl.Expr) -> pl.DataFrame:
    return rows.with_columns(is_strange=is_strange).select(SPAN)


def _reached(spans: pl.DataFrame) -> pl.DataFrame:
    """Owner and beginning of every span in a stretch, a run without a pause, that has a strange one."""
    in_order = spans.sort("owner", "started_at", "ended_at")
    ended_before = pl.col("ended_at").cum_max().shift().over("owner")
    is_after_a_pause = (pl.col("started_at") - ended_before > INACTIVITY_MS).fill_null(False)
    stretched = in_order.with_columns(is_after_a_pause.alias("begins")).with_columns(
        pl.col("begins").cum_sum().over("owner").alias("stretch")
    )
    strange = stretched.filter(pl.col("is_strange").any().over("owner", "stretch"))
    return strange.select("owner", "started_at").unique()
