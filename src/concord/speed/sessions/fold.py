"""Ordered events, folded on to what is known of their sessions."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from concord.contracts.events import EventType
from concord.rules.sessions import COUNT_OF, FUNNEL, FUNNEL_TIMES, session_id
from concord.rules.traffic import traffic_source_expr
from concord.speed.sessions.categories import NO_STEPS, category_steps
from concord.speed.sessions.chain import NEVER, depth, first_after, reached_rows
from concord.speed.sessions.rows import HELD_SCHEMA, STEPS, STEPS_TYPE, Flags, Numbers, flags
from concord.speed.sessions.segment import Runs

COUNTS = ("events", *COUNT_OF.values(), "searches_without_result")
ZERO = pl.lit(0, pl.Decimal(38, 2))


def fold(events: pl.DataFrame, sessions: Runs, continued: pl.DataFrame, version: int) -> pl.DataFrame:
    """The sessions' rows once their ``events`` are in.

    ``events`` are in order; the first of ``sessions`` continue those in ``continued``, one each, the others
    begin. Cheap in every way but one: nothing here depends on how long a session was before.
    """
    first, last = events[sessions.starts], events[sessions.ends - 1]
    before = pl.concat([continued, _begun(first[len(continued) :])])
    steps = [_rows(pl.col("event_type") == kind, events) for kind in FUNNEL]
    columns = [
        *_ends(last, version),
        *counted(events, sessions, before),
        *_user(events, sessions, before),
        *_funnel(events, sessions, before, steps),
        *_categories(category_steps(events, sessions, steps, continued[STEPS]), before),
    ]
    return before.with_columns(columns).select(HELD_SCHEMA.names())


def counted(events: pl.DataFrame, sessions: Runs, before: pl.DataFrame) -> list[pl.Series]:
    """Columns for which the events' order plays no part."""
    return [*_counts(events, sessions, before), *_money(events, sessions, before)]


def _begun(first: pl.DataFrame) -> pl.DataFrame:
    """Sessions of which nothing is known but their first event, not yet counted."""
    identities = [session_id(owner, event) for owner, event in first.select("owner", "event_id").iter_rows()]
    nothing = [pl.lit(None, HELD_SCHEMA[name]).alias(name) for name in ("user_id", "customer_tier", *FUNNEL_TIMES)]
    at = pl.col("occurred_at").cast(HELD_SCHEMA["started_at"])
    return first.select(
        "owner",
        "device_type",
        pl.Series("session_id", identities, pl.String),
        at.alias("started_at"),
        at.alias("ended_at"),
        pl.col("event_id").alias("first_event_id"),
        pl.col("event_id").alias("last_event_id"),
        traffic_source_expr("page_url", "referrer").alias("traffic_source"),
        *nothing,
        *(pl.lit(0, pl.Int32).alias(name) for name in (*COUNTS, "funnel_step")),
        *(pl.lit(False).alias(name) for name in ("is_logged_out", "has_login", "is_withdrawn")),
        *(ZERO.alias(name) for name in ("cart_value", "purchase_value")),
        pl.lit(NO_STEPS).alias("category_steps"),
        pl.lit([], STEPS_TYPE).alias(STEPS),
        pl.lit(0, pl.Int64).alias("version"),
    ).select(HELD_SCHEMA.names())


def _ends(last: pl.DataFrame, version: int) -> list[pl.Series]:
    return [
        last["occurred_at"].cast(HELD_SCHEMA["ended_at"]).alias("ended_at"),
        last["event_id"].alias("last_event_id"),
        last["event_type"].eq(EventType.LOGOUT.value).alias("is_logged_out"),
        pl.Series("version", np.full(len(last), version, dtype=np.int64)),
    ]


def _counts(events: pl.DataFrame, sessions: Runs, before: pl.DataFrame) -> list[pl.Series]:
    by_type = {column: pl.col("event_type") == kind for kind, column in COUNT_OF.items()}
    conditions = {
        "events": pl.lit(True),
        **by_type,
        "searches_without_result": by_type["searches"] & (pl.col("results_count") == 0),
    }
    happened = events.select(condition.fill_null(False).alias(name) for name, condition in conditions.items())
    return [before[name] + pl.Series(_count(flags(happened[name]), sessions), dtype=pl.Int32) for name in COUNTS]


def _money(events: pl.DataFrame, sessions: Runs, before: pl.DataFrame) -> list[pl.Series]:
    """Exact: one event may be worth 10^14, so sums of 64 bits in cents would hold a thousand of them at most."""
    price, quantity = pl.col("product_price").cast(pl.Decimal(38, 2)), pl.col("quantity").cast(pl.Decimal(38, 0))
    amounts = events.select(
        pl.when(pl.col("event_type") == EventType.ADD_TO_CART)
        .then(price * quantity)
        .when(pl.col("event_type") == EventType.REMOVE_FROM_CART)
        .then(-(price * quantity))
        .alias("cart_value"),
        pl.when(pl.col("event_type") == EventType.PURCHASE)
        .then(pl.col("total_amount").cast(pl.Decimal(38, 2)))
        .alias("purchase_value"),
    ).select(pl.all().fill_null(ZERO).cast(pl.Decimal(38, 2)))
    return [before[amount.name] + _total(amount, sessions) for amount in amounts]


def _user(events: pl.DataFrame, sessions: Runs, before: pl.DataFrame) -> list[pl.Series]:
    login = _first(_rows(pl.col("event_type") == EventType.LOGIN, events), sessions)
    anybody = _first(_rows(pl.col("user_id").is_not_null(), events), sessions)
    had_login, had_user = before["has_login"].to_numpy(), before["user_id"].is_not_null().to_numpy()
    naming = np.where(had_login, NEVER, np.where(login != NEVER, login, np.where(had_user, NEVER, anybody)))
    has_login = pl.Series("has_login", had_login | (login != NEVER))
    return [has_login, *(_taken(events[name], naming, before[name]) for name in ("user_id", "customer_tier"))]


def _funnel(events: pl.DataFrame, sessions: Runs, before: pl.DataFrame, steps: Sequence[Numbers]) -> list[pl.Series]:
    known = before["funnel_step"].cast(pl.Int64).to_numpy()
    reached = reached_rows(steps, sessions.starts, sessions.ends, known)
    times = events["occurred_at"].cast(HELD_SCHEMA["viewed_at"])
    now = [np.where(known >= number, NEVER, rows) for number, rows in enumerate(reached, start=1)]
    return [
        pl.Series("funnel_step", depth(reached), dtype=pl.Int32),
        *(_taken(times, rows, before[name]) for name, rows in zip(FUNNEL_TIMES, now, strict=True)),
    ]


def _categories(moved: pl.DataFrame, before: pl.DataFrame) -> list[pl.Series]:
    place = np.full(len(before), NEVER)
    place[moved["run"].to_numpy()] = np.arange(len(moved))
    return [_taken(moved[name], place, before[name]) for name in (STEPS, "category_steps")]


def _rows(condition: pl.Expr, events: pl.DataFrame) -> Numbers:
    return np.flatnonzero(events.select(condition).to_series().to_numpy())


def _first(rows: Numbers, sessions: Runs) -> Numbers:
    return first_after(rows, sessions.starts - 1, sessions.ends)


def _count(happened: Flags, sessions: Runs) -> Numbers:
    """How often in each run."""
    up_to = np.append(0, np.cumsum(happened))
    counts: Numbers = up_to[sessions.ends] - up_to[sessions.starts]
    return counts


def _total(amounts: pl.Series, sessions: Runs) -> pl.Series:
    """Sum of each run's amounts; exact. They hold no nulls."""
    up_to = pl.concat([pl.Series(amounts.name, [0], amounts.dtype), amounts]).cum_sum()
    return up_to.gather(sessions.ends) - up_to.gather(sessions.starts)


def _taken(values: pl.Series, rows: Numbers, otherwise: pl.Series) -> pl.Series:
    """``values`` at ``rows``; where a row is NEVER, what stands in ``otherwise``."""
    is_taken = pl.Series(rows != NEVER)
    taken = values.gather(pl.Series(np.where(rows == NEVER, 0, rows))) if len(values) else otherwise
    return taken.alias(otherwise.name).zip_with(is_taken, otherwise)
