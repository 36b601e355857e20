"""Snowflake: database, schemas, tables, and state as of a position."""

import re
from collections.abc import Mapping

from concord.contracts import warehouse
from concord.contracts.audit import AUDIT, AUDIT_SCHEMA
from concord.contracts.derived import RAW_DEAD_LETTERS, STAGING, WAREHOUSE_BOOKKEEPING
from concord.contracts.documents import RAW_DOCUMENT_SUBJECTS, RAW_DOCUMENTS
from concord.contracts.events import RAW_EVENTS
from concord.contracts.expectations import QUALITY, QUALITY_SCHEMA
from concord.contracts.funnels import INTERMEDIATE
from concord.contracts.marts import MARTS
from concord.contracts.model import Column, Dataset
from concord.contracts.state import state_columns
from concord.contracts.tables import TABLES, TOAST_PLACEHOLDER, as_raw
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

RAW_DATASETS: tuple[Dataset, ...] = (
    *(as_raw(table) for table in TABLES.values()),
    RAW_EVENTS,
    RAW_DEAD_LETTERS,
    RAW_DOCUMENTS,
    RAW_DOCUMENT_SUBJECTS,
    *WAREHOUSE_BOOKKEEPING.values(),
)
"""Every table of schema RAW."""

TABLES_BY_SCHEMA: Mapping[str, tuple[Dataset, ...]] = {
    warehouse.RAW: RAW_DATASETS,
    warehouse.STAGING: (*STAGING.values(), *INTERMEDIATE.values()),
    warehouse.MARTS: tuple(MARTS.values()),
    QUALITY_SCHEMA: tuple(QUALITY.values()),
    AUDIT_SCHEMA: tuple(AUDIT.values()),
}
"""Every table of the warehouse that outlives a batch. What dbt builds beside them nobody but it may read."""


def type_name(logical: LogicalType) -> str:
    """Snowflake's name of a type. Instants are UTC without a zone, documents stay text."""
    match logical:
        case BigInt() | Integer():
            return "NUMBER(38, 0)"
        case Decimal(precision, scale):
            return f"NUMBER({precision}, {scale})"
        case Instant():
            return "TIMESTAMP_NTZ"
        case Date():
            return "DATE"
        case Boolean():
            return "BOOLEAN"
        case Binary():
            return "BINARY"
        case Text() | Category() | Json() | Uuid():
            return "STRING"
    raise TypeError(f"no Snowflake type for {logical}")


_NUMBER = re.compile(r"NUMBER\((\d+),(\d+)\)")


def described_type(column: Column) -> str:
    """The type as ``describe table`` has it, without the bounds that are always the largest."""
    return stripped_type(type_name(column.type))


def stripped_type(name: str) -> str:
    plain = name.upper().replace(" ", "")
    if plain.startswith("NUMBER("):
        return plain
    base = plain.partition("(")[0]
    return "VARCHAR" if base in ("STRING", "TEXT") else base


def widens(was: str, now: str) -> bool:
    """True if Snowflake makes one type the other by metadata: more digits, as many of them behind the point."""
    old, new = _NUMBER.fullmatch(was), _NUMBER.fullmatch(now)
    return bool(old and new and old[2] == new[2] and int(old[1]) < int(new[1]))


def add_column(dataset: Dataset, column: Column, schema: str = "RAW") -> str:
    """Metadata only: rows that are there read as null."""
    return f"alter table {schema}.{dataset.name} add column {column.name} {type_name(column.type)}"


def retype_column(dataset: Dataset, column: Column, is_other_type: bool, schema: str = "RAW") -> list[str]:
    """To its type and, where it may be null, free of a constraint that says otherwise."""
    altered = f"alter table {schema}.{dataset.name} alter column {column.name}"
    retyped = [f"{altered} set data type {type_name(column.type)}"] if is_other_type else []
    return [*retyped, f"{altered} drop not null"] if column.nullable else retyped


def create_database() -> list[str]:
    return [f"create database if not exists {warehouse.DATABASE}"]


def create_schemas() -> list[str]:
    return [f"create schema if not exists {schema}" for schema in warehouse.SCHEMAS]


def create_raw() -> list[str]:
    return [create_table(dataset) for dataset in RAW_DATASETS]


def create_published() -> list[str]:
    """What readers see, empty until the first batch: so it can be granted and masked before there is anything in it."""
    schemas = (warehouse.STAGING, warehouse.MARTS)
    return [create_table(dataset, schema) for schema in schemas for dataset in TABLES_BY_SCHEMA[schema]]


def create_audit() -> list[str]:
    return [
        f"create schema if not exists {AUDIT_SCHEMA}",
        *(create_table(dataset, AUDIT_SCHEMA) for dataset in AUDIT.values()),
    ]


def create_quality() -> list[str]:
    """What is wrong with the data: tables of the checks, and per row the rules that it breaks."""
    rules = "listagg(rule, ', ') within group (order by rule) as rules"
    grain = "batch_id, layer, dataset, row_key"
    return [
        f"create schema if not exists {QUALITY_SCHEMA}",
        *(create_table(dataset, QUALITY_SCHEMA) for dataset in QUALITY.values()),
        f"create or replace view {QUALITY_SCHEMA}.flagged_rows as\nselect {grain}, count(*) as rules_broken, {rules}\n"
        f"from {QUALITY_SCHEMA}.violations\ngroup by {grain}",
    ]


def create_table(dataset: Dataset, schema: str = "RAW") -> str:
    columns = ",\n".join(f"    {_column(column)}" for column in dataset.columns)
    table = f"create table if not exists {schema}.{dataset.name} (\n{columns}\n)"
    if not dataset.cluster:
        return table
    return f"{table}\ncluster by ({', '.join(_cluster_key(dataset[name]) for name in dataset.cluster)})"


def _column(column: Column) -> str:
    default = " default current_timestamp()" if column.name == "loaded_at" else ""
    null = "" if column.nullable else " not null"
    return f"{column.name} {type_name(column.type)}{default}{null}"


def _cluster_key(column: Column) -> str:
    return f"to_date({column.name})" if isinstance(column.type, Instant) else column.name


def state_query(table: Dataset, relation: str, predicate: str = "true") -> str:
    """The table's state after the changes of ``relation`` that meet ``predicate``. Grain: one key.

    The change with the highest offset wins and a deleted key is left out. A value that PostgreSQL
    left out of an update is the last one it did send, be it null.
    """
    select = [_state_expression(table, name) for name in state_columns(table)]
    ranking = [
        "changes.__op as last_op",
        f"row_number() over ({_window(table)} order by changes._offset desc) as recency",
    ]
    return (
        f"select\n    {_lines(list(state_columns(table)), 4)}\nfrom (\n    select\n        {_lines([*select, *ranking], 8)}\n"
        f"    from {relation} as changes\n    where {predicate}\n) as ranked\nwhere recency = 1 and last_op <> 'd'"
    )


def _state_expression(table: Dataset, name: str) -> str:
    if name not in table.toastable:
        return f"changes.{name} as {name}"
    is_missing = f"iff(changes.__op = 'd' or changes.{name} = '{TOAST_PLACEHOLDER}', 1, 0)"
    order = f"order by {is_missing}, changes._offset desc"
    return f"first_value(changes.{name}) over ({_window(table)} {order}) as {name}"


def _window(table: Dataset) -> str:
    return f"partition by {', '.join(f'changes.{name}' for name in table.key)}"


def _lines(items: list[str], indent: int) -> str:
    return (",\n" + " " * indent).join(items)
