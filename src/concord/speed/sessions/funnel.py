"""What a micro-batch's changes of sessions add to the funnels: rows to be summed."""

import polars as pl

from concord.contracts.behaviour import AMOUNT, DONE, FUNNEL_CATEGORY_MINUTES, FUNNEL_MINUTES, GUEST
from concord.speed.sessions.changes import Changes
from concord.speed.sessions.rows import held_as

REACHED = ("viewed", "carted", "checkouts", "purchased")
MINUTE = pl.col("started_at").dt.truncate("1m").alias("minute")
IS_ABANDONED = pl.col("funnel_step").is_between(REACHED.index("carted") + 1, REACHED.index("purchased"))
"""A cart was filled and, so far, nothing of it bought."""
NOTHING = pl.lit(0).cast(held_as(AMOUNT))


def deltas(changes: Changes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of ``funnel_minutes`` and of ``funnel_category_minutes``: what is true now less what was true before."""
    return (
        _difference(FUNNEL_MINUTES.key, _of_sessions(changes.before), _of_sessions(changes.after)),
        _difference(
            FUNNEL_CATEGORY_MINUTES.key,
            _of_categories(changes.categories_before),
            _of_categories(changes.categories_after),
        ),
    )


def _of_sessions(sessions: pl.DataFrame) -> pl.DataFrame:
    return sessions.filter(~pl.col("is_withdrawn")).select(
        MINUTE,
        pl.col("customer_tier").fill_null(GUEST),
        "traffic_source",
        pl.lit(1, pl.Int64).alias("sessions"),
        *_reached(),
        *(pl.col(counted).cast(pl.Int64).alias(name) for name, counted in DONE.items()),
        "cart_value",
        pl.when(IS_ABANDONED).then("cart_value").otherwise(NOTHING).alias("abandoned_value"),
        "purchase_value",
    )


def _of_categories(categories: pl.DataFrame) -> pl.DataFrame:
    return categories.filter(~pl.col("is_withdrawn")).select(MINUTE, "product_category", *_reached())


def _reached() -> list[pl.Expr]:
    return [(pl.col("funnel_step") >= step).cast(pl.Int64).alias(name) for step, name in enumerate(REACHED, start=1)]


def _difference(key: tuple[str, ...], before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    measures = pl.exclude(key)
    both = pl.concat([before.with_columns(-measures), after])
    return both.group_by(key).agg(measures.sum()).filter(pl.any_horizontal(measures != 0)).sort(key)
