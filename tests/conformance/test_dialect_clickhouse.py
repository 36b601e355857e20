"""What the ClickHouse dialect declares holds what the contract says: rows come back equal, state is right."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from concord.contracts.model import Dataset
from concord.contracts.state import held_by, state_columns
from concord.contracts.tables import TABLES, as_change
from concord.contracts.types import Binary, Uuid
from concord.dialects.arrow import arrow_schema
from concord.dialects.clickhouse import TABLE_DATASETS, state_query, view_name
from concord.gateways.clickhouse import ClickHouse
from concord.settings import Settings
from tests.factories import edge_row, row
from tests.histories import Row, cut_of, history, state
from tests.speed_database import speed_database

pytestmark = [pytest.mark.conformance, pytest.mark.integration]

NOW = datetime.now(UTC).replace(microsecond=123000)
"""Rows expire by arrival, so a test's rows must have arrived just now."""


@pytest.fixture
def store(settings: Settings) -> Iterator[ClickHouse]:
    with speed_database(settings) as own:
        yield own


def fill(store: ClickHouse, dataset: Dataset, rows: list[Row]) -> None:
    store.insert_arrow(dataset.name, pa.Table.from_pylist(rows, schema=arrow_schema(dataset)), uuid.uuid4().hex)


def arriving_now(dataset: Dataset, sent: Row) -> Row:
    return {**sent, dataset.partition: NOW} if dataset.partition else sent


def as_sent(dataset: Dataset, stored: dict[str, Any]) -> Row:
    """The client gives identities as objects and bytes as the text they happen to be."""
    return {name: _as_sent(dataset, name, value) for name, value in stored.items()}


def _as_sent(dataset: Dataset, name: str, value: Any) -> Any:
    if value is None:
        return None
    match dataset[name].type:
        case Uuid():
            return str(value)
        case Binary():
            return value if isinstance(value, bytes) else value.encode()
        case _:
            return value


@pytest.mark.parametrize("dataset", TABLE_DATASETS, ids=lambda dataset: dataset.name)
def test_extreme_and_ordinary_rows_come_back_equal(store: ClickHouse, dataset: Dataset) -> None:
    sent = [arriving_now(dataset, edge_row(dataset)), arriving_now(dataset, row(dataset, seed=3))]
    fill(store, dataset, sent)
    stored = store.query_dicts(f"select {', '.join(dataset.names)} from {dataset.name}")
    assert sorted((as_sent(dataset, each) for each in stored), key=str) == sorted(sent, key=str)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_state_is_what_a_replay_leaves(store: ClickHouse, table: Dataset) -> None:
    changes = history(table, seed=11, length=200)
    fill(store, as_change(table), changes)
    for position in (None, cut_of(changes, seed=1), cut_of(changes, seed=2)):
        predicate = "true" if position is None else held_by(position)
        query = state_query(table, as_change(table).name, predicate)
        assert store.query_dicts(f"select * from ({query}) order by id") == state(table, changes, position)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_view_shows_the_current_state_and_finds_one_key(store: ClickHouse, table: Dataset) -> None:
    changes = history(table, seed=13, length=200)
    fill(store, as_change(table), changes)
    now = state(table, changes)
    names = ", ".join(state_columns(table))
    assert store.query_dicts(f"select {names} from {view_name(table)} order by id") == now
    key = now[0]["id"]
    assert store.query_dicts(f"select {names} from {view_name(table)} where id = {key}") == now[:1]
