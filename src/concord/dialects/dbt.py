"""dbt: schema RAW as sources, staging and marts as models with contracts, documented column by column."""

from collections.abc import Iterable, Mapping
from typing import Any

from concord.contracts.derived import RAW_DEAD_LETTERS, STAGING, WAREHOUSE_BOOKKEEPING
from concord.contracts.events import RAW_EVENTS
from concord.contracts.marts import MARTS
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import TABLES, as_raw
from concord.contracts.types import (
    BigInt,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    LogicalType,
    Text,
)

SOURCE = "raw"
STAGED_SUFFIX = "_enhanced"


def email_macro(pattern: str) -> str:
    """Snowflake's ``regexp_like`` matches the whole text anyway. False, not null, for a missing address."""
    return (
        "{% macro is_valid_email(email) -%}\n"
        f"    coalesce(regexp_like({{{{ email }}}}, '{pattern}'), false)\n"
        "{%- endmacro %}\n"
    )


def sources() -> dict[str, Any]:
    """The document of ``_staging__sources.yml``."""
    changes = [as_raw(table) for table in TABLES.values()]
    tables = [*changes, RAW_EVENTS, RAW_DEAD_LETTERS, *WAREHOUSE_BOOKKEEPING.values()]
    source = {
        "name": SOURCE,
        "description": "Change logs, events and dead letters as loaded from the lake, and the load's bookkeeping.",
        "database": "{{ target.database }}",
        "schema": "RAW",
        "tables": [_table(dataset) for dataset in tables],
    }
    return {"version": 2, "sources": [source]}


def _table(dataset: Dataset) -> dict[str, Any]:
    table: dict[str, Any] = {"name": dataset.name, "description": dataset.description}
    if "loaded_at" in dataset.names:
        table["config"] = {"loaded_at_field": "loaded_at"}
    return {**table, "columns": [_column(column) for column in dataset.columns]}


def _column(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name}
    if column.description:
        entry["description"] = column.description
    if column.pii:
        entry["config"] = {"tags": ["pii"], "meta": {"pii": True}}
    return entry


def base_models() -> dict[str, Any]:
    """The document of ``_base__models.yml``: the tables' state, typed as RAW is."""
    return {"version": 2, "models": [_base_model(table) for table in TABLES.values()]}


def _base_model(table: Dataset) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": f"base_{table.name}",
        "description": f"{table.description} At this batch's position; stays beside the published tables.",
    }
    if table.toastable:
        model["data_tests"] = ["no_placeholder"]
    return {**model, "columns": [_column(column) | _key_tests(table, column) for column in table.columns]}


def _key_tests(table: Dataset, column: Column) -> dict[str, Any]:
    return {"data_tests": ["unique", "not_null"]} if table.key == (column.name,) else {}


def staging_models() -> dict[str, Any]:
    """The document of ``_staging__models.yml``."""
    return _models(STAGING)


def mart_models() -> dict[str, Any]:
    """The document of ``_marts__models.yml``."""
    return _models(MARTS)


def model_name(dataset: Dataset) -> str:
    """A model bears its layer before the name under which it is published."""
    return f"stg_{dataset.name}" if dataset.name in STAGING else f"mart_{dataset.name}"


def _models(datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    return {"version": 2, "models": [_model(dataset) for dataset in datasets.values()]}


def _model(dataset: Dataset) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": model_name(dataset),
        "description": dataset.description,
        "config": {"contract": {"enforced": True}},
    }
    if len(dataset.key) > 1:
        model["data_tests"] = [{"unique_combination": {"arguments": {"columns": list(dataset.key)}}}]
    return {**model, "columns": [_modelled(dataset, column) for column in dataset.columns]}


def _modelled(dataset: Dataset, column: Column) -> dict[str, Any]:
    entry = {**_column(column), "data_type": data_type(column.type)}
    if not column.nullable:
        entry["constraints"] = [{"type": "not_null"}]
    if tests := list(_tests(dataset, column)):
        entry["data_tests"] = tests
    return entry


def _tests(dataset: Dataset, column: Column) -> Iterable[Any]:
    """What the contract says of the column. Of the source's own data a breach is a warning: it is kept as it came."""
    if dataset.key == (column.name,):
        yield from ("unique", "not_null")
    if isinstance(column.type, Category) and column.type.values:
        yield _test(dataset, column, "accepted_values", values=list(map(str, column.type.values)))
    if column.references:
        table, field = column.references.split(".")
        yield _warning("relationships", to=f"ref('stg_{table}{STAGED_SUFFIX}')", field=field)


def _test(dataset: Dataset, column: Column, name: str, **arguments: Any) -> dict[str, Any]:
    source = TABLES.get(dataset.name.removesuffix(STAGED_SUFFIX))
    is_the_sources = source is not None and column.name in source.names
    return _warning(name, **arguments) if is_the_sources else {name: {"arguments": arguments}}


def _warning(name: str, **arguments: Any) -> dict[str, Any]:
    return {name: {"arguments": arguments, "config": {"severity": "warn"}}}


def data_type(logical: LogicalType) -> str:
    """A type as a model's contract spells it."""
    match logical:
        case BigInt() | Integer():
            return "number(38,0)"
        case Decimal(precision, scale):
            return f"number({precision},{scale})"
        case Instant():
            return "timestamp_ntz"
        case Date():
            return "date"
        case Boolean():
            return "boolean"
        case Text() | Category():
            return "string"
    raise TypeError(f"no column of a model has type {logical}")
