"""The models as `concord bench batch --peer dbt-duckdb` translates them, built in DuckDB without dbt."""

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from concord.batch.models import PUBLISHED
from concord.bench.batch.files import ChangeFiles, Paths
from concord.bench.batch.ported import as_duckdb, external, translated
from concord.bench.batch.single import connected
from concord.contracts.events import EVENTS
from concord.contracts.marts import stamp
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import TABLES, as_change
from concord.contracts.types import Instant
from concord.dialects.arrow import arrow_schema
from concord.settings import PROJECT
from tests.shop_history import Row, ShopHistory
from tests.warehouse_copy import RAW

Node = Mapping[str, Any]
CHANGES = {**{name: as_change(table) for name, table in TABLES.items()}, EVENTS.name: EVENTS}


def change_files(history: ShopHistory, folder: Path) -> Paths:
    """The history as the bench's files, and its clickstream, which the bench has none of."""
    files = ChangeFiles(folder)
    for name, rows in {**history.logs, EVENTS.name: history.visits.rows}.items():
        files.add("history", name, as_arrow(CHANGES[name], rows))
    return files.paths


def as_arrow(dataset: Dataset, rows: list[Row]) -> pa.Table:
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(dataset)])
    plain = [{name: str(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows]
    return pa.Table.from_pylist(plain, schema=schema)


def published(manifest: Node, paths: Paths, file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every published dataset's rows in the order of their keys, build stamps aside."""
    with connected(file) as duck:
        for statement in statements(manifest, paths):
            duck.execute(statement)
        return {dataset.name: _rows(duck, schema, dataset) for schema, dataset in PUBLISHED}


def statements(manifest: Node, paths: Paths) -> Iterator[str]:
    nodes = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")}
    yield from (f"create schema {schema}" for schema in {"RAW", *(each["config"]["schema"] for each in nodes.values())})
    yield from (f"create view RAW.{name} as from {external(RAW[name], paths)}" for name in RAW)
    calls = {f"{each['database']}.{each['schema']}.{each['alias']}": _name(each) for each in nodes.values()}
    calls |= {f"{each['database']}.RAW.{each['name']}": f"RAW.{each['name']}" for each in manifest["sources"].values()}
    order = TopologicalSorter(
        {name: set(node["depends_on"].get("nodes", ())) & {*nodes} for name, node in nodes.items()}
    )
    for node in (nodes[name] for name in order.static_order()):
        query = _seed(node) if node["resource_type"] == "seed" else translated(node["compiled_code"], calls)
        yield f"create table {_name(node)} as {query}"


def _name(node: Node) -> str:
    return f"{node['config']['schema']}.{node['alias']}"


def _seed(node: Node) -> str:
    types = {column: as_duckdb(kind) for column, kind in node["config"]["column_types"].items()}
    return f"from read_csv('{PROJECT / 'dbt_project' / node['original_file_path']}', types = {types})"


def _rows(duck: duckdb.DuckDBPyConnection, schema: str, dataset: Dataset) -> list[tuple[Any, ...]]:
    columns = ", ".join(_zoned(column) for column in dataset.columns if column.name != stamp(dataset))
    return duck.execute(f"select {columns} from {schema}.{dataset.name} order by {', '.join(dataset.key)}").fetchall()


def _zoned(column: Column) -> str:
    """Instants are without a zone in the warehouse, and UTC."""
    return f"{column.name}::timestamptz" if isinstance(column.type, Instant) else column.name
