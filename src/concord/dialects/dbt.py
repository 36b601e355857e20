"""dbt: schema RAW as sources, documented column by column."""

from typing import Any

from concord.contracts.derived import RAW_DEAD_LETTERS, WAREHOUSE_BOOKKEEPING
from concord.contracts.events import RAW_EVENTS
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import TABLES, as_raw

SOURCE = "raw"


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
