"""A run that compared nothing proves nothing."""

import polars as pl
import pytest

from concord.contracts.position import Position
from concord.contracts.tables import TABLES
from concord.reconcile.compare import compare
from concord.reconcile.cut import Cut
from concord.reconcile.run import faults, is_published_at

ORDERS = "ecommerce.public.orders"


def comparison(dataset: str, rows: int):
    side = pl.DataFrame({"id": list(range(rows))})
    return compare(dataset, ("id",), ("left", side), ("right", side))


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_without_rows_is_a_fault(name):
    assert faults((comparison(name, 0),)) == (f"{name}: nothing to compare",)


def test_a_table_with_rows_is_none():
    assert faults(tuple(comparison(name, 1) for name in TABLES)) == ()


def test_what_readers_see_is_compared_only_where_it_is_the_state_at_the_cut():
    at = Position.of([(ORDERS, 0, 5)])
    assert is_published_at(at, Cut(at), ORDERS)
    assert not is_published_at(at, Cut(at, below_lsn=9), ORDERS)
    assert not is_published_at(Position.of([(ORDERS, 0, 6)]), Cut(at), ORDERS)
