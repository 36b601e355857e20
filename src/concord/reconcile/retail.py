"""A retail file and four stores side by side: the same totals, asked of each by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

from concord.contracts.tables import TABLES, as_change

Ask = Callable[[str], Sequence[Sequence[Any]]]

COUNTS = (
    "lines",
    "invoices",
    "cancelled invoices",
    "customers",
    "stock codes",
    "lines without customer",
    "unit prices zero or less",
)
SUMS = ("revenue", "cancelled")
CENTS = Decimal("0.01")


@dataclass(frozen=True)
class Totals:
    """What one store says of the file's days: totals by name, and revenue by day."""

    values: Mapping[str, int | Decimal]
    revenue_by_day: Mapping[date, Decimal]


@dataclass(frozen=True)
class Dialect:
    """How a store names the four tables, an instant and the UTC day of ``created_at``."""

    relations: Mapping[str, str]
    day: str
    instant: str = "timestamp '{}'"


POSTGRES = Dialect(
    {name: name for name in TABLES}, "(created_at at time zone 'UTC')::date", "timestamptz '{} 00:00:00+00'"
)
CLICKHOUSE = Dialect(
    {name: f"{name}_realtime" for name in TABLES}, "toDate(created_at)", "toDateTime64('{} 00:00:00', 3, 'UTC')"
)
SNOWFLAKE = Dialect(
    {name: f"STAGING.{name}_enhanced" for name in TABLES}, "created_at::date", "'{} 00:00:00'::timestamp_ntz"
)


def _last_per_key(change_log: str) -> str:
    ranked = f"select *, row_number() over (partition by id order by _offset desc) as recency from {change_log}"
    return f"(select * from ({ranked}) where recency = 1 and __op <> 'd')"


LAKE = Dialect(
    {name: _last_per_key(as_change(table).name) for name, table in TABLES.items()},
    "(created_at at time zone 'UTC')::date",
    "timestamptz '{} 00:00:00+00'",
)


def totals(ask: Ask, dialect: Dialect, first: date, last: date) -> Totals:
    """Ask one store for its totals over the days from ``first`` to ``last``."""
    names = dict(dialect.relations) | {
        "day": dialect.day,
        "first": dialect.instant.format(first),
        "end": dialect.instant.format(last + timedelta(days=1)),
    }
    return Totals(
        named(ask(_sql("retail_totals").format(**names))[0]), by_day(ask(_sql("revenue_by_day").format(**names)))
    )


def named(row: Sequence[Any]) -> dict[str, int | Decimal]:
    """One row of totals under their names, with the net of the two sums."""
    counts = {name: int(value or 0) for name, value in zip(COUNTS, row[: len(COUNTS)], strict=True)}
    sums = {name: Decimal(value or 0).quantize(CENTS) for name, value in zip(SUMS, row[len(COUNTS) :], strict=True)}
    return {**counts, **sums, "net": sums["revenue"] - sums["cancelled"]}


def by_day(rows: Sequence[Sequence[Any]]) -> dict[date, Decimal]:
    """Rows (day, revenue) as a mapping, to the cent."""
    return {day: Decimal(revenue).quantize(CENTS) for day, revenue in rows}


def differing_days(left: Mapping[date, Decimal], right: Mapping[date, Decimal]) -> list[date]:
    """Days on which two stores differ, or which only one of them has."""
    return sorted(day for day in {*left, *right} if left.get(day) != right.get(day))


def _sql(name: str) -> str:
    return files("concord.reconcile").joinpath(f"sql/{name}.sql").read_text()
