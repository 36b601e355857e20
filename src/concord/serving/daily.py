"""One answer from two layers: the mart's days, and the days that changes since then touch.

A day that no change after the batch's position touches is the mart's row, which is complete and
tested. A touched day is computed anew from the speed layer's rows. No day is ever made of both, so
averages and distinct counts are never added up, and no clock decides where one layer ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

from concord.contracts.derived import DAILY_BUSINESS_METRICS
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position, Publication
from concord.contracts.state import held_by
from concord.contracts.tables import ORDER_ITEMS, ORDERS, USERS, OrderStatus, as_change
from concord.dialects.clickhouse import state_query
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.snowflake import Snowflake
from concord.rules.orders import COMPLETED, REVENUE
from concord.rules.ratios import ratio, ratio_or_zero

INPUTS = (ORDERS, ORDER_ITEMS, USERS)
"""The tables a daily metric is made of."""

COLUMNS = tuple(name for name in DAILY_BUSINESS_METRICS.names if name != "created_at")
CENTS = Decimal("0.01")


@dataclass(frozen=True)
class Answer:
    """Rows by day in the columns of the mart, and what each day was made of."""

    rows: tuple[tuple[Any, ...], ...]
    from_batch: tuple[date, ...]
    from_speed: tuple[date, ...]
    batch_id: str | None
    position: Position
    note: str = ""


def inputs_only(position: Position) -> Position:
    """The part of a position that speaks of the tables a daily metric is made of."""
    topics = {cdc_topic(table) for table in INPUTS}
    return Position({key: offset for key, offset in position.offsets.items() if key.topic in topics})


def daily_business_metrics(speed: ClickHouse, warehouse: Snowflake, first: date, last: date) -> Answer:
    """The daily business metrics from ``first`` to ``last``, both included."""
    publication = warehouse.publication()
    held, published = inputs_only(speed.position()), _published(publication)
    if not held.covers(published):
        return _of_batch_alone(warehouse, publication, first, last, held)
    touched = _within(touched_dates(speed, published, held), first, last)
    recomputed = recompute(speed, touched, held)
    kept = [row for row in mart_rows(warehouse, first, last) if row[0] not in touched] if publication else []
    return Answer(
        rows=tuple(sorted([*kept, *recomputed], key=lambda row: row[0])),
        from_batch=tuple(row[0] for row in kept),
        from_speed=tuple(row[0] for row in recomputed),
        batch_id=publication.batch_id if publication else None,
        position=held,
    )


def _published(publication: Publication | None) -> Position:
    return inputs_only(publication.position) if publication else Position()


def _of_batch_alone(
    warehouse: Snowflake, publication: Publication | None, first: date, last: date, held: Position
) -> Answer:
    rows = tuple(mart_rows(warehouse, first, last))
    published = _published(publication)
    return Answer(
        rows=rows,
        from_batch=tuple(row[0] for row in rows),
        from_speed=(),
        batch_id=publication.batch_id if publication else None,
        position=published,
        note=f"the speed layer is behind the batch at {held.behind(published).as_json()}, so only the batch answers",
    )


def _within(days: Sequence[date], first: date, last: date) -> list[date]:
    return [day for day in days if first <= day <= last]


def touched_dates(speed: ClickHouse, published: Position, held: Position) -> list[date]:
    """Days that changes above ``published``, up to ``held``, can alter."""
    predicates = {f"speed_{table.name}": held_by(held.of_topic(cdc_topic(table))) for table in INPUTS} | {
        f"batch_{table.name}": held_by(published.of_topic(cdc_topic(table))) for table in INPUTS
    }
    return [row[0] for row in speed.query(_sql("touched_dates").format(**predicates))]


def recompute(speed: ClickHouse, days: Sequence[date], held: Position) -> list[tuple[Any, ...]]:
    """The days' metrics from the speed layer's state at ``held``; a day without an order has no row."""
    if not days:
        return []
    states = {
        table.name: state_query(table, as_change(table).name, held_by(held.of_topic(cdc_topic(table))))
        for table in INPUTS
    }
    statuses = {"completed": _quoted(COMPLETED), "not_revenue": _quoted(set(OrderStatus) - REVENUE)}
    return [
        _metrics(*row)
        for row in speed.query(_sql("recomputed_days").format(**states, **statuses), {"days": list(days)})
    ]


def mart_rows(warehouse: Snowflake, first: date, last: date) -> list[tuple[Any, ...]]:
    """The mart's rows from ``first`` to ``last``."""
    select = f"select {', '.join(COLUMNS)} from MARTS.{DAILY_BUSINESS_METRICS.name} where date between %s and %s order by date"
    return [tuple(row) for row in warehouse.query(select, (first, last))]


def _metrics(
    day: date,
    new: int,
    returning: int,
    active: int,
    orders: int,
    completed: int,
    cancelled: int,
    revenue_orders: int,
    revenue: Decimal,
    revenue_new: Decimal,
    revenue_returning: Decimal,
    items: int,
    products: int,
) -> tuple[Any, ...]:
    """One day's row in the order of :data:`COLUMNS`."""
    return (
        day,
        new,
        returning,
        active,
        orders,
        completed,
        cancelled,
        ratio(revenue, revenue_orders),
        revenue.quantize(CENTS),
        revenue_new.quantize(CENTS),
        revenue_returning.quantize(CENTS),
        items,
        products,
        ratio_or_zero(new, active),
        ratio_or_zero(completed, orders),
        ratio_or_zero(items, revenue_orders),
    )


def _quoted(statuses: Iterable[OrderStatus]) -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))


def _sql(name: str) -> str:
    return files("concord.serving").joinpath(f"sql/{name}.sql").read_text()
