"""The columns that events come with and sessions are held in."""

import numpy as np
import numpy.typing as npt
import polars as pl

from concord.contracts.behaviour import SESSIONS
from concord.contracts.types import BigInt, Boolean, Category, Decimal, Instant, Integer, Json, LogicalType, Text, Uuid

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

IN_ORDER = ("owner", "occurred_at", "event_id")
"""What an owner's events are ordered by."""

INSTANT = pl.Datetime("ms", "UTC")

EVENT_SCHEMA = pl.Schema(
    {
        "owner": pl.String(),
        "occurred_at": pl.Int64(),  # epoch milliseconds
        "event_id": pl.String(),
        "event_type": pl.String(),
        "user_id": pl.Int64(),
        "customer_tier": pl.String(),
        "product_category": pl.String(),
        "product_price": pl.Decimal(10, 2),
        "quantity": pl.Int32(),
        "total_amount": pl.Decimal(10, 2),
        "results_count": pl.Int32(),
        "page_url": pl.String(),
        "referrer": pl.String(),
        "device_type": pl.String(),
    }
)
"""What sessions need to know of an event."""


def held_as(kind: LogicalType) -> pl.DataType:
    """How a column of this logical type is held in memory; ids and documents as text."""
    match kind:
        case BigInt():
            return pl.Int64()
        case Integer():
            return pl.Int32()
        case Boolean():
            return pl.Boolean()
        case Instant():
            return INSTANT
        case Decimal(precision, scale):
            return pl.Decimal(precision, scale)
        case Text() | Category() | Uuid() | Json():
            return pl.String()
        case _:
            raise TypeError(f"no session column is a {kind}")


SESSION_SCHEMA = pl.Schema(
    {column.name: held_as(column.type) for column in SESSIONS.columns if column.name != "written_at"}
)
"""Rows of ``sessions`` but for the time they are written at, which is their writer's to say."""

STEPS = "steps"
"""What ``category_steps`` says, once more as a list that can be worked with."""

STEPS_TYPE = pl.List(pl.Struct({"product_category": pl.String(), "step": pl.Int8()}))
HELD_SCHEMA = pl.Schema({**SESSION_SCHEMA, STEPS: STEPS_TYPE})
"""Rows as the state holds them."""


def as_events(events: pl.DataFrame) -> pl.DataFrame:
    """The columns of :data:`EVENT_SCHEMA`, as it has them."""
    return events.select(pl.col(name).cast(kind) for name, kind in EVENT_SCHEMA.items())


def in_order(events: pl.DataFrame) -> pl.DataFrame:
    """Events sorted by owner, time and id."""
    return events.sort(IN_ORDER)


def is_behind(event: tuple[pl.Expr, pl.Expr], other: tuple[pl.Expr, pl.Expr]) -> pl.Expr:
    """True where the first of two events, each a time and an id, comes after the other in their owner's order."""
    return (event[0] > other[0]) | ((event[0] == other[0]) & (event[1] > other[1]))


def changes_of(column: pl.Series) -> Flags:
    """True where a row differs from the one before it, and at the first. The column holds no nulls."""
    return flags(column.ne_missing(column.shift(1)))


def flags(column: pl.Series) -> Flags:
    """As numpy has them; the column holds no nulls."""
    return np.asarray(column.to_numpy(), dtype=np.bool_)


def milliseconds(column: pl.Series) -> Numbers:
    """Instants as epoch milliseconds; the column holds no nulls."""
    return column.to_physical().to_numpy()
