"""ClickHouse: tables that deduplicate repeated inserts, and views of current state."""

import re
from collections.abc import Iterator, Mapping

from concord.contracts.behaviour import (
    BEHAVIOUR,
    ENRICHED_EVENTS,
    FUNNEL_CATEGORY_MINUTES,
    FUNNEL_MINUTES,
    SESSIONS,
)
from concord.contracts.derived import IDLE_BOUNDS, SPEED_BOOKKEEPING
from concord.contracts.enrichment import CATALOGUE, ENRICHMENT_TABLES, USER_TIERS
from concord.contracts.model import Column, Dataset
from concord.contracts.names import SPEED_DATABASE
from concord.contracts.state import state_columns
from concord.contracts.tables import TABLES, TOAST_PLACEHOLDER, as_change
from concord.contracts.types import (
    BigInt,
    Binary,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    Json,
    LogicalType,
    Text,
    Uuid,
)

EXPIRY_DAYS = {
    "events": 30,
    "events_late": 90,
    "dead_letters": 90,
    "dead_letter_replays": 400,
    "sessions": 90,
    "funnel_minutes": 400,
    "funnel_category_minutes": 400,
}
"""By the column that splits the storage: time of arrival where there is one. A change log never expires:
current state is read from it."""

ENGINES: Mapping[str, str] = {
    SESSIONS.name: "ReplacingMergeTree(version)",
    FUNNEL_MINUTES.name: "SummingMergeTree",
    FUNNEL_CATEGORY_MINUTES.name: "SummingMergeTree",
    IDLE_BOUNDS.name: "ReplacingMergeTree",
}
"""Tables whose rows of one key become one. All others are plain."""

DEDUPLICATION_WINDOW = 1000
"""Inserts remembered per table. Must be ≥ 10 times the inserts that a retry may come after."""

PARSED = "JSON(max_dynamic_paths = 64)"
"""A producer may invent paths without end: beyond these they share one column."""

TABLE_DATASETS: tuple[Dataset, ...] = (
    ENRICHED_EVENTS,
    *BEHAVIOUR.values(),
    *ENRICHMENT_TABLES.values(),
    *SPEED_BOOKKEEPING.values(),
    *(as_change(table) for table in TABLES.values()),
)
"""Every table of the speed layer."""


def type_name(logical: LogicalType) -> str:
    """ClickHouse's name of a type, without regard to null."""
    match logical:
        case BigInt():
            return "Int64"
        case Integer():
            return "Int32"
        case Decimal(precision, scale):
            return f"Decimal({precision}, {scale})"
        case Instant():
            return "DateTime64(3, 'UTC')"
        case Date():
            return "Date32"
        case Boolean():
            return "Bool"
        case Uuid():
            return "UUID"
        case Text() | Category() | Json() | Binary():
            return "String"
    raise TypeError(f"no ClickHouse type for {logical}")


def column_type(column: Column) -> str:
    """The full type: ``Nullable`` goes inside ``LowCardinality``, never around it."""
    name = type_name(column.type)
    name = f"Nullable({name})" if column.nullable else name
    return f"LowCardinality({name})" if isinstance(column.type, Category) else name


INTEGERS = ("Int32", "Int64")
_DECIMAL = re.compile(r"Decimal\((\d+), (\d+)\)")


def widens(was: str, now: str) -> bool:
    """True if every value of one type, as ClickHouse spells it, is one of the other; null is one where it may be."""
    (was_low, was), (now_low, now) = _unwrapped("LowCardinality", was), _unwrapped("LowCardinality", now)
    (was_nullable, was), (now_nullable, now) = _unwrapped("Nullable", was), _unwrapped("Nullable", now)
    if was_low != now_low or (was_nullable and not now_nullable):
        return False
    old, new = _DECIMAL.fullmatch(was), _DECIMAL.fullmatch(now)
    if old and new:
        return old[2] == new[2] and int(old[1]) <= int(new[1])
    return was == now or (was, now) == INTEGERS


def _unwrapped(wrapping: str, name: str) -> tuple[bool, str]:
    is_wrapped = name.startswith(f"{wrapping}(")
    return is_wrapped, name[len(wrapping) + 1 : -1] if is_wrapped else name


def add_column(database: str, dataset: Dataset, column: Column, after: str | None) -> str:
    """Metadata only: rows that are there read as null."""
    place = f"after {after}" if after else "first"
    return f"alter table {database}.{dataset.name} add column if not exists {_column(column)} {place}"


def retype_column(database: str, dataset: Dataset, column: Column) -> str:
    """Rewrites the one column, in the background; reads convert meanwhile."""
    return f"alter table {database}.{dataset.name} modify column {_column(column)} settings alter_sync = 0"


def create_database() -> str:
    return f"create database if not exists {SPEED_DATABASE}"


def create_table(dataset: Dataset) -> str:
    """Of the MergeTree family, split by month, dropping an insert that is repeated with the same token."""
    columns = ",\n".join(f"    {line}" for line in _columns(dataset))
    lines = [
        f"create table if not exists {SPEED_DATABASE}.{dataset.name}\n(\n{columns}\n)",
        f"engine = {ENGINES.get(dataset.name, 'MergeTree')}",
        *_split(dataset),
        f"order by ({', '.join(dataset.cluster or dataset.key)})",
        *_expiry(dataset),
        f"settings non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}",
    ]
    return "\n".join(lines)


def _columns(dataset: Dataset) -> Iterator[str]:
    yield from (_column(column) for column in dataset.columns)
    yield from (_parsed(column) for column in dataset.columns if isinstance(column.type, Json))


def _parsed(column: Column) -> str:
    """The document by its paths, made of its text by whoever asks for it: kept, it would be taken apart for every
    event and again at each merge. What ClickHouse cannot hold (a lone surrogate, a number beyond a double, a thousand
    levels) is null. Of two equal paths the first counts, by every user's profile; the text has both."""
    return f"{column.name}_json Nullable({PARSED}) alias accurateCastOrNull({column.name}, '{PARSED}')"


def _column(column: Column) -> str:
    codec = _codec(column)
    return f"{column.name} {column_type(column)}{codec}"


def _codec(column: Column) -> str:
    """Times and offsets grow steadily, so their differences are small."""
    if isinstance(column.type, Instant) or column.name in ("_offset", "__source_lsn"):
        return " codec(Delta, ZSTD(1))"
    return ""


def _split(dataset: Dataset) -> list[str]:
    if dataset in (USER_TIERS, CATALOGUE):
        return ["partition by publication"]  # an old publication goes as a whole
    return [f"partition by toYYYYMM({dataset.partition})"] if dataset.partition else []


def _expiry(dataset: Dataset) -> list[str]:
    days = EXPIRY_DAYS.get(dataset.name)
    return [f"ttl toDateTime({dataset.partition}) + interval {days} day"] if days else []


def view_name(table: Dataset) -> str:
    return f"{table.name}_realtime"


def realtime_view(table: Dataset) -> str:
    """The view of a table's current state: one row per key that is not deleted."""
    state = state_query(table, f"{SPEED_DATABASE}.{as_change(table).name}")
    return f"create or replace view {SPEED_DATABASE}.{view_name(table)} as\n{state}"


def state_query(table: Dataset, change_log: str, predicate: str = "true") -> str:
    """The table's state after the changes of ``change_log`` that meet ``predicate``. Grain: one key.

    The change with the highest offset wins and a deleted key is left out. A value that PostgreSQL
    left out of an update is the last one it did send. Values travel inside tuples because ``argMax``
    passes over nulls, and a null may be the honest last value.
    """
    plain = [name for name in state_columns(table) if name not in (*table.key, *table.toastable)]
    latest = {name: f"latest.{index}" for index, name in enumerate(("__op", *plain), start=1)}
    filled = {name: f"latest_{name}.1" for name in table.toastable}
    aggregates = [
        f"argMax(tuple({', '.join(latest)}), _offset) as latest",
        *(f"{_last_real_value(name)} as latest_{name}" for name in table.toastable),
    ]
    source = {**latest, **filled}
    select = [name if name in table.key else f"{source[name]} as {name}" for name in state_columns(table)]
    return (
        f"select\n    {_lines(select, 4)}\nfrom\n(\n    select\n        {_lines([*table.key, *aggregates], 8)}\n"
        f"    from {change_log}\n    where {predicate}\n    group by {', '.join(table.key)}\n)\n"
        f"where {latest['__op']} != 'd'"
    )


def _last_real_value(name: str) -> str:
    is_real = f"__op != 'd' and ifNull({name}, '') != '{TOAST_PLACEHOLDER}'"
    return f"argMax(tuple({name}), tuple({is_real}, _offset))"


def _lines(items: list[str], indent: int) -> str:
    return (",\n" + " " * indent).join(items)
