"""Columns that a query makes have the types they are declared with, or ones that Snowflake has.

The engine gives sums of integers 128 bits, years 64, signs 8; a table made of such a query would
have columns that no other statement expects.
"""

from typing import Any

import duckdb
from sqlglot import Expr, exp

REQUIRED = "_required_columns"
"""Where a statement keeps the columns that may not be null; the engine is told once the table is there."""

_AS = {
    "HUGEINT": "DECIMAL(38, 0)",
    "UHUGEINT": "DECIMAL(38, 0)",
    "UBIGINT": "DECIMAL(38, 0)",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    "FLOAT": "DOUBLE",
    "UUID": "VARCHAR",
    '"NULL"': "VARCHAR",
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
}
_APPROXIMATE = ("DOUBLE", "FLOAT")


def as_canonical(statement: Expr, connection: duckdb.DuckDBPyConnection, params: Any) -> Expr:
    """A CREATE … AS with casts around the columns of its query; any other statement as it is."""
    query = statement.expression if isinstance(statement, exp.Create) else None
    if not isinstance(query, exp.Query) or str(statement.args.get("kind")).upper() not in {"TABLE", "VIEW"}:
        return statement
    made = connection.execute(f"DESCRIBE {query.sql(dialect='duckdb')}", params).fetchall()
    if statement.args["kind"].upper() == "TABLE" and isinstance(statement.this, exp.Schema):
        _as_declared(statement, query, [(name, kind) for name, kind, *_ in made])
        return statement
    casts = [_cast(_column(name), _AS[kind], name) for name, kind, *_ in made if kind in _AS]
    if casts:
        statement.set("expression", _around(query, [exp.Star(replace=casts)]))
    return statement


def _as_declared(create: Expr, query: exp.Query, made: list[tuple[str, str]]) -> None:
    """``create table t (a number(10,2) not null) as select …``: the list rules, by position."""
    declared = [column for column in create.this.expressions if isinstance(column, exp.ColumnDef)]
    if len(declared) != len(made):
        raise duckdb.BinderException(f"{len(declared)} columns are declared, the query makes {len(made)}")
    columns = [_declared(column, *source) for column, source in zip(declared, made, strict=True)]
    create.set("expression", _around(query, columns))
    create.set("this", create.this.this)
    create.set(REQUIRED, [column.name for column in declared if _is_required(column)])


def _declared(column: exp.ColumnDef, source: str, kind: str) -> Expr:
    value = _column(source)
    to = column.kind.sql(dialect="duckdb") if column.kind else kind
    if kind in _APPROXIMATE and to.startswith("DECIMAL"):
        # through its shortest text a double rounds half away from zero, as a decimal does
        value = exp.cast(value, "VARCHAR", dialect="duckdb")
    if _is_required(column):
        failure = exp.func("error", exp.Literal.string(f"NULL result in a non-nullable column: {column.name}"))
        value = exp.Coalesce(this=value, expressions=[failure])
    return _cast(value, to, column.name)


def _is_required(column: exp.ColumnDef) -> bool:
    return column.find(exp.NotNullColumnConstraint) is not None


def _around(query: exp.Query, columns: list[Expr]) -> exp.Select:
    return exp.select(*columns).from_(query.copy().subquery("made"))


def _column(name: str) -> Expr:
    return exp.column(exp.to_identifier(name, quoted=True))


def _cast(value: Expr, to: str, name: str) -> Expr:
    cast = exp.Cast(this=value, to=exp.DataType.build(to, dialect="duckdb"))
    return exp.alias_(cast, exp.to_identifier(name, quoted=True))
