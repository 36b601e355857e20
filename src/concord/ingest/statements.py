"""The statements that change the shop, projected from the tables' contracts."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from concord.contracts.model import Dataset
from concord.dialects.postgres import type_name

SET_STATUS = "update orders set status = %s, updated_at = %s where id = %s and status = %s"
"""Only from the status that is expected: what somebody else decided in the meantime stands."""


@cache
def insert_many(table: Dataset) -> str:
    """One statement for any number of rows, given as one array per column, in the contract's order.

    Not COPY: it writes rows in blocks that share one log position, which Debezium has lost before (trap K1).
    """
    arrays = ", ".join(f"%s::{type_name(column.type)}[]" for column in table.columns)
    return f"insert into {table.name} ({', '.join(table.names)}) select * from unnest({arrays})"


def columns_of(table: Dataset, rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Rows as the arrays that :func:`insert_many` takes; a column that a row does not name is null."""
    return [[row.get(name) for row in rows] for name in table.names]


@cache
def update_by_key(table: Dataset, columns: tuple[str, ...]) -> str:
    """Set these columns of one row; the last value is its key."""
    assignments = ", ".join(f"{table[name].name} = %s" for name in columns)
    return f"update {table.name} set {assignments} where {table.key[0]} = %s"


@cache
def delete_where(table: Dataset, column: str) -> str:
    """Delete the rows with one value in one column."""
    return f"delete from {table.name} where {table[column].name} = %s"
