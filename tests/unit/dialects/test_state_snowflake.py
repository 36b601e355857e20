"""Snowflake's state query, run by DuckDB, equals a replay of the changes one by one."""

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.state import held_by, state_columns
from concord.contracts.tables import ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS, as_change
from concord.dialects.snowflake import create_table, state_query
from tests.factories import change_row
from tests.histories import Row, cut_of, history, state

seeds = st.integers(0, 1 << 32)


def answer(table: Dataset, changes: Sequence[Row], predicate: str = "true") -> list[Row]:
    names = as_change(table).names
    with duckdb.connect(":memory:") as engine:
        engine.execute("set TimeZone = 'UTC'; create schema RAW")
        engine.execute(_for_duckdb(create_table(as_change(table))))
        marks = ", ".join("?" for _ in names)
        engine.executemany(
            f"insert into RAW.{as_change(table).name} values ({marks})",
            [[_naive(change[name]) for name in names] for change in changes],
        )
        select = state_query(table, f"RAW.{as_change(table).name}", predicate)
        rows = engine.execute(f"select * from ({_for_duckdb(select)}) as state order by id").fetchall()
    return [dict(zip(state_columns(table), row, strict=True)) for row in rows]


def _for_duckdb(statement: str) -> str:
    return sqlglot.transpile(statement.split("\ncluster by")[0], read="snowflake", write="duckdb")[0]


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


def naive(rows: Sequence[Row]) -> list[Row]:
    return [{name: _naive(value) for name, value in row.items()} for row in rows]


@settings(deadline=None)  # each example opens a database
@given(seeds)
def test_state_is_what_a_replay_leaves(seed: int) -> None:
    changes = history(PRODUCTS, seed, length=25, keys=3)
    assert answer(PRODUCTS, changes) == naive(state(PRODUCTS, changes))


@settings(deadline=None)  # each example opens a database
@given(seeds)
def test_state_at_a_position_is_what_a_replay_up_to_it_leaves(seed: int) -> None:
    changes = history(USERS, seed, length=25, keys=3)
    position = cut_of(changes, seed)
    assert answer(USERS, changes, held_by(position)) == naive(state(USERS, changes, position))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_state_of_every_table_can_be_asked(table: Dataset) -> None:
    changes = history(table, seed=7)
    assert answer(table, changes) == naive(state(table, changes))


def test_value_left_out_stays_null_where_the_last_real_one_was_null() -> None:
    changes = [
        change_row(ORDERS, "c", offset=1, shipping_address="France"),
        change_row(ORDERS, "u", offset=2, shipping_address=None),
        change_row(ORDERS, "u", offset=3, shipping_address=TOAST_PLACEHOLDER),
    ]
    assert answer(ORDERS, changes)[0]["shipping_address"] is None


def test_value_left_out_is_not_taken_from_a_life_before_the_delete() -> None:
    changes = [
        change_row(ORDERS, "c", offset=1, shipping_address="France"),
        change_row(ORDERS, "d", offset=2),
        change_row(ORDERS, "c", offset=3, shipping_address=None),
        change_row(ORDERS, "u", offset=4, shipping_address=TOAST_PLACEHOLDER),
    ]
    assert answer(ORDERS, changes)[0]["shipping_address"] is None


def test_nothing_held_is_an_empty_state() -> None:
    assert answer(ORDERS, history(ORDERS, seed=3), held_by(Position())) == []
