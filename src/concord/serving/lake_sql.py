"""SQL over the lake without a cluster: DuckDB reads what the Iceberg catalog names.

Meant for looking, at tables that fit into memory; jobs read the lake through Spark.
"""

from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from concord.contracts.names import LAKE_NAMESPACE
from concord.contracts.tables import TABLES, as_change
from concord.errors import ContractViolation
from concord.gateways.lake import Lake
from concord.landed.rows import change_rows

DIALECT = "duckdb"
LOGS = {as_change(table).name: table for table in TABLES.values()}
"""Change logs lie in the lake as the records that came; a query sees the rows that they are."""


def answer(lake: Lake, statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one query. Table names may carry the namespace ``ecommerce``.

    Of a change log it sees typed columns, without the records that the batch sets aside.

    Raises :class:`ContractViolation` if it is not one query, or DuckDB refuses it.
    """
    query = _parsed(statement)
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        for name in _tables(query):
            connection.register(name, _held(lake, name))
        result = connection.execute(_unqualified(query).sql(DIALECT))
        return [column[0] for column in result.description or ()], result.fetchall()
    except duckdb.Error as error:
        raise ContractViolation(f"the lake cannot answer: {error}", "concord sql lake takes DuckDB's dialect") from None
    finally:
        connection.close()


def tables_of(statement: str) -> list[str]:
    """The lake's tables that the query reads. Raises as :func:`answer` does."""
    return sorted(_tables(_parsed(statement)))


def _held(lake: Lake, name: str) -> pa.Table:
    landed = lake.scan(name)
    return change_rows(LOGS[name], landed) if name in LOGS else landed


def _parsed(statement: str) -> exp.Query:
    try:
        parsed = sqlglot.parse_one(statement, read=DIALECT)
    except sqlglot.ParseError as error:
        raise ContractViolation(f"not a statement: {error}", "concord sql lake takes DuckDB's dialect") from None
    if not isinstance(parsed, exp.Query):
        raise ContractViolation(f"not a query: {statement[:60]}", "the lake is only read here; Spark writes it")
    return parsed


def _tables(query: exp.Query) -> set[str]:
    """Tables of the lake that the query reads; names of its own CTEs are none."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    return {table.name for table in query.find_all(exp.Table) if table.name and table.name not in own}


def _unqualified(query: exp.Query) -> exp.Query:
    copy = query.copy()
    for table in copy.find_all(exp.Table):
        if table.db == LAKE_NAMESPACE:
            table.set("db", None)
    return copy
