"""What a store holds against the same rows by DuckDB alone: every row, every column."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import pyarrow as pa

from concord.contracts.model import Column, Dataset
from concord.dialects.arrow import arrow_schema

ROWS_AT_ONCE = 500_000
"""Rows are fetched in parts of so many keys or offsets, so that no table has to fit in memory."""

Ask = Callable[[str | None], pa.Table]
"""The rows that a condition on the dividing column keeps, or all of them."""


@dataclass(frozen=True)
class Compared:
    """One table. ``example`` is a row that only one side has."""

    name: str
    rows: int
    only_expected: int
    only_found: int
    example: str = ""

    @property
    def is_equal(self) -> bool:
        return not (self.only_expected or self.only_found)

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.only_expected:,} rows of DuckDB's alone and {self.only_found:,} rows of its own, "
            f"for example {self.example}"
        )


def compare(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[Column],
    expected: str,
    found: Ask,
    by: str = "id",
) -> Compared:
    """``expected`` is a relation of DuckDB. Numbers and instants are taken as the contract types them.

    It is done in parts of ``by``, a whole number that every row has, if the table has that column.
    """
    shape = Dataset(name, tuple(columns), key=(columns[0].name,))
    parts = [_compare(duck, shape, expected, found, part) for part in _parts(duck, shape, expected, by)]
    return Compared(
        name,
        sum(part.rows for part in parts),
        sum(part.only_expected for part in parts),
        sum(part.only_found for part in parts),
        next((part.example for part in parts if part.example), ""),
    )


def _parts(duck: duckdb.DuckDBPyConnection, shape: Dataset, expected: str, by: str) -> Iterator[str | None]:
    """Conditions that leave no row out, whatever its number; none on a table that has no such column."""
    if by not in shape.names:
        yield None
        return
    (highest,) = _one(duck, f"select coalesce(max({by}), 0)::bigint from {expected}")
    bounds = list(range(ROWS_AT_ONCE, highest + 1, ROWS_AT_ONCE))
    if not bounds:
        yield None
        return
    yield f"{by} < {bounds[0]}"
    yield from (f"{by} >= {low} and {by} < {high}" for low, high in pairwise(bounds))
    yield f"{by} >= {bounds[-1]}"


def _compare(
    duck: duckdb.DuckDBPyConnection, shape: Dataset, expected: str, found: Ask, condition: str | None
) -> Compared:
    names = ", ".join(shape.names)
    _fill(duck, shape, "expected", f"select {names} from {expected} where {condition or 'true'}")
    duck.register("fetched", found(condition))
    _fill(duck, shape, "found", f"select {names} from fetched")
    duck.unregister("fetched")
    (rows,) = _one(duck, "select count(*) from expected")
    only_expected, only_found = (
        _one(duck, f"select count(*) from (from {here} except all from {there})")[0]
        for here, there in (("expected", "found"), ("found", "expected"))
    )
    return Compared(shape.name, rows, only_expected, only_found, _example(duck, only_expected, only_found))


def _fill(duck: duckdb.DuckDBPyConnection, shape: Dataset, table: str, select: str) -> None:
    """A table with the contract's types: both sides are made comparable by the same casts."""
    empty = pa.schema([field.with_nullable(True) for field in arrow_schema(shape)]).empty_table()
    duck.register("shape", empty)
    duck.execute(f"create or replace temp table {table} as from shape")
    duck.unregister("shape")
    duck.execute(f"insert into {table} {select}")


def _example(duck: duckdb.DuckDBPyConnection, only_expected: int, only_found: int) -> str:
    if not (only_expected or only_found):
        return ""
    here, there = ("expected", "found") if only_expected else ("found", "expected")
    return f"{here}: {_one(duck, f'from {here} except all from {there} order by all limit 1')}"


def _one(duck: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    (row,) = duck.execute(query).fetchall()
    return tuple(row)
