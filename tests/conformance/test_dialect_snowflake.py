"""What the Snowflake dialect declares holds what the contract says: rows come back equal, state is right."""

from collections.abc import Iterator
from typing import Any

import pytest

from concord.contracts.derived import STAGING
from concord.contracts.funnels import INTERMEDIATE
from concord.contracts.marts import MARTS
from concord.contracts.model import Dataset
from concord.contracts.state import held_by, state_columns
from concord.contracts.tables import TABLES, as_raw
from concord.dialects.snowflake import RAW_DATASETS, create_table, state_query
from concord.gateways.snowflake import Snowflake
from tests.conformance.snowflake.server import Server
from tests.factories import edge_row, row
from tests.histories import Row, cut_of, history, state

pytestmark = pytest.mark.conformance

DATASETS = [*RAW_DATASETS, *STAGING.values(), *INTERMEDIATE.values(), *MARTS.values()]
SCHEMA = "CONTRACTS"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowflake]:
    with Server(tmp_path_factory.mktemp("contracts") / "data") as server, server.client() as client:
        yield client


@pytest.fixture(autouse=True)
def own_schema(warehouse: Snowflake) -> None:
    warehouse.execute(f"drop schema if exists {SCHEMA} cascade")
    warehouse.execute(f"create schema {SCHEMA}")


def fill(warehouse: Snowflake, dataset: Dataset, rows: list[Row]) -> None:
    warehouse.execute(create_table(dataset, SCHEMA))
    marks = ", ".join(["%s"] * len(dataset.names))
    statement = f"insert into {SCHEMA}.{dataset.name} ({', '.join(dataset.names)}) values ({marks})"
    warehouse.execute_many(statement, [[each[name] for name in dataset.names] for each in rows])


def read(warehouse: Snowflake, query: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [dict(zip(names, values, strict=True)) for values in warehouse.query(query)]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_extreme_and_ordinary_rows_come_back_equal(warehouse: Snowflake, dataset: Dataset) -> None:
    sent = [edge_row(dataset), row(dataset, seed=3)]
    fill(warehouse, dataset, sent)
    select = f"select {', '.join(dataset.names)} from {SCHEMA}.{dataset.name}"
    stored = read(warehouse, select, dataset.names)
    assert sorted(stored, key=str) == sorted(sent, key=str)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_state_is_what_a_replay_leaves(warehouse: Snowflake, table: Dataset) -> None:
    changes = history(table, seed=11, length=80)
    load = row(as_raw(table), batch_id="b", file_name=None)
    fill(warehouse, as_raw(table), [{**load, **change} for change in changes])
    for position in (None, cut_of(changes, seed=1), cut_of(changes, seed=2)):
        predicate = "true" if position is None else held_by(position)
        query = state_query(table, f"{SCHEMA}.{table.name}", predicate)
        answer = read(warehouse, f"select * from ({query}) as state order by id", state_columns(table))
        assert answer == state(table, changes, position)
