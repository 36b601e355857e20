"""Every store after a step, against DuckDB alone: change logs, RAW, mirrors, what is published."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from concord.batch.models import PUBLISHED
from concord.bench.batch.compare import Compared, compare
from concord.bench.batch.files import ChangeFiles, reading
from concord.bench.batch.single import MODELS, connected, current
from concord.contracts.marts import stamp
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import (
    CDC_METADATA,
    POSITION_COLUMNS,
    TABLES,
    as_change,
    as_landed,
    as_mirror,
    lake_name,
)
from concord.contracts.types import Instant
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake

ARRIVAL = "_timestamp"
"""When Kafka took a row is Kafka's own matter."""
MIRROR_STAMPS = ("__op", "_partition", "_offset")


def change_logs(lake: Lake, files: ChangeFiles, duck: duckdb.DuckDBPyConnection) -> Iterator[Compared]:
    """What the sinks, or the writer in their place, have brought into the lake."""
    for name in files.paths:
        yield change_log(lake, files, duck, TABLES[name])


def change_log(lake: Lake, files: ChangeFiles, duck: duckdb.DuckDBPyConnection, table: Dataset) -> Compared:
    """The records as they landed, read as JSON: the batch's own reader has no part in it."""
    dataset = as_change(table)
    expected = reading(files.paths[table.name])
    found = partial(landed, lake, table)
    return compare(duck, f"lake {dataset.name}", _columns(dataset), expected, found, by="_offset")


def raw(warehouse: Snowflake, files: ChangeFiles, duck: duckdb.DuckDBPyConnection) -> Iterator[Compared]:
    """What the connector has brought into RAW; the load's own columns aside."""
    for name, paths in files.paths.items():
        columns = _columns(as_change(TABLES[name]))
        yield compare(
            duck,
            f"RAW.{name}",
            columns,
            reading(paths),
            partial(in_warehouse, warehouse, f"RAW.{name}", columns),
        )


def mirrors(lake: Lake, expected: Path) -> Iterator[Compared]:
    with connected(expected) as duck:
        for table in TABLES.values():
            yield mirror(lake, duck, table, table.name)


def mirror(lake: Lake, duck: duckdb.DuckDBPyConnection, table: Dataset, expected: str) -> Compared:
    """The mirror of one table against a relation of DuckDB."""
    dataset = as_mirror(table)
    columns = [column for column in dataset.columns if column.name in (*table.names, *MIRROR_STAMPS)]
    return compare(duck, f"mirror {table.name}", columns, expected, partial(in_lake, lake, table.name, columns))


def mirror_now(lake: Lake, files: ChangeFiles, duck: duckdb.DuckDBPyConnection, table: Dataset) -> Compared:
    """The same against the change logs' files."""
    duck.execute(f"create or replace temp table now as {current(table, files.paths[table.name])}")
    return mirror(lake, duck, table, "now")


def published(warehouse: Snowflake, expected: Path) -> Iterator[Compared]:
    """Staging and marts, but for when a row was built. Without a clickstream its tables have no row."""
    with connected(expected) as duck:
        for schema, dataset in PUBLISHED:
            relation = f"{schema}.{dataset.name}"
            if dataset.name not in MODELS:
                ((rows,),) = warehouse.query(f"select count(*) from {relation}")
                yield Compared(relation, 0, 0, int(rows), "any")
                continue
            yield _published(warehouse, duck, relation, dataset, dataset.name)


def built_by_dbt(warehouse: Snowflake, built: Path) -> Iterator[Compared]:
    """The same, all of them, against those that dbt has built in a file of DuckDB."""
    with connected(built) as duck:
        for schema, dataset in PUBLISHED:
            relation = f"{schema}.{dataset.name}"
            yield _published(warehouse, duck, relation, dataset, relation)


def _published(
    warehouse: Snowflake, duck: duckdb.DuckDBPyConnection, relation: str, dataset: Dataset, expected: str
) -> Compared:
    columns = [column for column in dataset.columns if column.name != stamp(dataset)]
    return compare(duck, relation, columns, expected, partial(in_warehouse, warehouse, relation, columns))


def landed(lake: Lake, table: Dataset, where: str | None) -> pa.Table:
    """Landed records as rows with the change's columns; values that are text in JSON stay so."""
    names = [lake_name(column.name) for column in as_landed(table).columns]
    records = lake.scan(as_landed(table).name, names, where)
    values = [f"{_value(column)} as {column.name}" for column in (*table.columns, *CDC_METADATA)]
    position = [f"{lake_name(column.name)} as {column.name}" for column in POSITION_COLUMNS]
    with duckdb.connect() as duck:
        duck.register("records", records)
        documents = "(select decode(value)::json as value, * exclude (value) from records)"
        selected = duck.sql(f"select {', '.join([*values, *position])} from {documents}")
        return pa.table(selected.to_arrow_table())


def _value(column: Column) -> str:
    field = f"(value ->> '{column.name}')"
    is_in_ms = column in CDC_METADATA and isinstance(column.type, Instant)
    return f"make_timestamptz({field}::bigint * 1000)" if is_in_ms else field


def in_lake(lake: Lake, name: str, columns: list[Column], where: str | None) -> pa.Table:
    names = [column.name for column in columns]
    return lake.scan(name, list(map(lake_name, names)), where).select(list(map(lake_name, names))).rename_columns(names)


def in_warehouse(warehouse: Snowflake, relation: str, columns: list[Column], where: str | None) -> pa.Table:
    names = ", ".join(column.name for column in columns)
    return warehouse.arrow(f"select {names} from {relation} where {where or 'true'}")


def _columns(dataset: Dataset) -> list[Column]:
    return [column for column in dataset.columns if column.name != ARRIVAL]
