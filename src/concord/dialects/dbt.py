"""dbt: schema RAW as sources, staging and marts as models with contracts, documented column by column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from concord.contracts.derived import RAW_DEAD_LETTERS, STAGING, WAREHOUSE_BOOKKEEPING
from concord.contracts.events import RAW_EVENTS
from concord.contracts.funnels import INTERMEDIATE
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
    Uuid,
)

SOURCE = "raw"
STAGED_SUFFIX = "_enhanced"

EVERY_DAY = {"warn_after": (1, "day")}
ALL_THE_TIME = {"warn_after": (2, "hour"), "error_after": (1, "day")}
FRESHNESS = {
    "users": EVERY_DAY,
    "products": EVERY_DAY,
    "orders": ALL_THE_TIME,
    "order_items": ALL_THE_TIME,
    "events": ALL_THE_TIME,
}
"""How old a source's newest load may be: a shop sells every day, and need not gain a customer every hour."""


def email_macro(pattern: str) -> str:
    """Snowflake's ``regexp_like`` matches the whole text anyway. False, not null, for a missing address."""
    return (
        "{% macro is_valid_email(email) -%}\n"
        f"    coalesce(regexp_like({{{{ email }}}}, '{pattern}'), false)\n"
        "{%- endmacro %}\n"
    )


Words = Iterable[tuple[str, Sequence[str]]]
"""Each traffic source with the texts that stand for it."""


def traffic_macro(click_ids: Sequence[str], media: Words, names: Words, hosts: Words) -> str:
    """The tables of traffic sources as one expression; of hosts the first line that fits counts."""
    cases = (
        f"when regexp_substr('&' || {{{{ query }}}}, '&({'|'.join(click_ids)})=[^&]') is not null then 'paid'",
        *(f"when {{{{ medium }}}} in ({_quoted(words)}) then '{source}'" for source, words in media),
        *(f"when {{{{ name }}}} in ({_quoted(words)}) then '{source}'" for source, words in names),
        "when {{ medium }} <> '' or {{ name }} <> '' then 'campaign'",
        "when regexp_like({{ came_from }}, '^[ \\t\\r\\n]*$') then 'direct'",
        *(f"when regexp_like({{{{ host }}}}, '{_below(known)}') then '{source}'" for source, known in hosts),
        "when {{ host }} <> '' and {{ host }} = {{ page_host }} then 'internal'",
    )
    lines = "\n".join(f"        {case}" for case in cases)
    return (
        "{% macro traffic_source(query, medium, name, came_from, host, page_host) -%}\n"
        f"    case\n{lines}\n        else 'referral'\n    end\n{{%- endmacro %}}\n"
    )


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _below(hosts: Sequence[str]) -> str:
    """A pattern that these hosts and those below them match; the dot is spelled so that no string eats its escape."""
    return f"^([a-z0-9.-]*[.])?({'|'.join(host.replace('.', '[.]') for host in hosts)})$"


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
        table["config"] = {"loaded_at_field": "loaded_at", **_freshness(dataset)}
    return {**table, "columns": [_column(column) for column in dataset.columns]}


def _freshness(dataset: Dataset) -> dict[str, Any]:
    if dataset.name not in FRESHNESS:
        return {}
    ages = FRESHNESS[dataset.name].items()
    return {"freshness": {when: {"count": count, "period": period} for when, (count, period) in ages}}


def _column(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name}
    if column.description:
        entry["description"] = column.description
    if column.personal:
        entry["config"] = {"tags": ["pii"], "meta": {"pii": True, "personal": str(column.personal)}}
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


def intermediate_models() -> dict[str, Any]:
    """The document of ``_sessions__models.yml``: the intermediate models that readers see."""
    return _models(INTERMEDIATE)


def mart_models() -> dict[str, Any]:
    """The document of ``_marts__models.yml``."""
    return _models(MARTS)


def model_name(dataset: Dataset) -> str:
    """A model bears its layer before the name under which it is published."""
    layers = (("stg", STAGING), ("int", INTERMEDIATE), ("mart", MARTS))
    return next(f"{layer}_{dataset.name}" for layer, datasets in layers if dataset.name in datasets)


def _models(datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    return {"version": 2, "models": [_model(dataset) for dataset in datasets.values()]}


def _model(dataset: Dataset) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": model_name(dataset),
        "description": dataset.description,
        "config": {"contract": {"enforced": True}},
    }
    if tests := list(_whole_row_tests(dataset)):
        model["data_tests"] = tests
    return {**model, "columns": [_modelled(dataset, column) for column in dataset.columns]}


def _whole_row_tests(dataset: Dataset) -> Iterable[Any]:
    """Tests of more than one column: one statement each, where a test by column would be one for every column."""
    if len(dataset.key) > 1:
        yield {"unique_combination": {"arguments": {"columns": list(dataset.key)}}}
    bounds = [f"{column.name} between {column.minimum} and {column.maximum}" for column in _bounded(dataset)]
    if bounds:
        yield {"in_range": {"name": f"in_range_{model_name(dataset)}", "arguments": {"bounds": bounds}}}


def _bounded(dataset: Dataset) -> Iterable[Column]:
    return (column for column in dataset.columns if column.minimum is not None and column.maximum is not None)


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
    return {name: {"arguments": arguments, "config": {"severity": "warn", "store_failures_as": "view"}}}


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
        case Text() | Category() | Uuid():
            return "string"
    raise TypeError(f"no column of a model has type {logical}")
