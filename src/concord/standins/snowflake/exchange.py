"""SWAP WITH and RENAME of tables and schemas, each in one transaction of the engine.

The engine can rename a table, but neither move it to another schema nor rename a schema, so
across schemas the rows are copied. A reader sees the state before or the state after.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from sqlglot import exp

from concord.standins.snowflake.failures import UNKNOWN_OBJECT, Refused
from concord.standins.snowflake.statements import LEAD, TAIL

if TYPE_CHECKING:
    from concord.standins.snowflake.sessions import Session

_NAME = r"""(IDENTIFIER\s*\(\s*(?:\?|'[^']+')\s*\)|(?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+)){0,2})"""
_IDENTIFIER = re.compile(r"IDENTIFIER\s*\(\s*(\?|'[^']+')\s*\)", re.IGNORECASE)
_EXCHANGE = re.compile(
    rf"{LEAD}ALTER\s+(?:(?:DYNAMIC|ICEBERG|TRANSIENT)\s+)?(TABLE|VIEW|SCHEMA)\s+"
    rf"(?:IF\s+EXISTS\s+)?{_NAME}\s+(SWAP\s+WITH|RENAME\s+TO)\s+{_NAME}{TAIL}",
    re.IGNORECASE | re.DOTALL,
)
_PARKED = "_CONCORD_SWAP"


@dataclass(frozen=True)
class Exchange:
    """``first`` takes the place of ``second``; in a swap also the other way round."""

    first: str
    second: str
    is_swap: bool
    kind: str


@dataclass(frozen=True)
class Place:
    """A table or view by its full name."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return ".".join(f'"{part}"' for part in (self.database, self.schema, self.name))

    def at(self, schema: str, name: str | None = None) -> "Place":
        return Place(self.database, schema, name or self.name)


def parse(sql: str, params: Sequence[Any] | None = None) -> Exchange | None:
    """The exchange a statement asks for, or None if it is another statement."""
    match = _EXCHANGE.match(sql)
    if match is None:
        return None
    kind, first, verb, second = match.groups()
    values = iter(params or ())
    first, second = (_named(name, values) for name in (first, second))
    return Exchange(first, second, is_swap=verb.upper().startswith("SWAP"), kind=kind.upper())


def _named(name: str, values: Iterator[Any]) -> str:
    """The Spark connector binds names: IDENTIFIER(?)."""
    match = _IDENTIFIER.fullmatch(name)
    if match is None:
        return name
    return str(next(values)) if match[1] == "?" else match[1].strip("'")


def carry_out(exchange: Exchange, session: "Session") -> None:
    """All of it or nothing."""
    with session.atomic():
        if exchange.kind == "SCHEMA":
            _exchange_schemas(exchange, session)
        else:
            _exchange_tables(exchange, session)


# --- tables ---


def _exchange_tables(exchange: Exchange, session: "Session") -> None:
    first, second = _table(exchange.first, session), _table(exchange.second, session)
    connection = session.duck
    if not exchange.is_swap:
        _move(connection, first, second, exchange.kind)
        return
    parked = first.at(second.schema, _PARKED)
    _move(connection, second, parked)
    _move(connection, first, second)
    _move(connection, parked, first)


def _move(connection: duckdb.DuckDBPyConnection, source: Place, target: Place, kind: str = "TABLE") -> None:
    if source.schema == target.schema:
        connection.execute(f'ALTER {kind} {source} RENAME TO "{target.name}"')
        return
    _copy_table(connection, source, target)
    connection.execute(f"DROP TABLE {source}")


def _copy_table(connection: duckdb.DuckDBPyConnection, source: Place, target: Place) -> None:
    """With its nullability and defaults, which CREATE TABLE AS would lose."""
    found = connection.execute(
        "SELECT sql FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [source.database, source.schema, source.name],
    ).fetchone()
    if found is None:
        raise Refused(f"SQL compilation error:\nTable '{source}' does not exist or not authorized.", *UNKNOWN_OBJECT)
    definition = sqlglot.parse_one(found[0], read="duckdb")
    table = definition.find(exp.Table)
    if table is not None:
        table.replace(exp.to_table(str(target), dialect="duckdb"))
    connection.execute(definition.sql(dialect="duckdb"))
    connection.execute(f"INSERT INTO {target} SELECT * FROM {source}")


# --- schemas ---


def _exchange_schemas(exchange: Exchange, session: "Session") -> None:
    database, first = _schema(exchange.first, session)
    _, second = _schema(exchange.second, session)
    connection = session.duck
    schemas = (first, second) if exchange.is_swap else (first,)
    views = [view for schema in schemas for view in _take_views(connection, database, schema)]
    if exchange.is_swap:
        _swap_tables(connection, database, first, second)
    else:
        connection.execute(f'CREATE SCHEMA "{database}"."{second}"')
        _move_tables(connection, database, first, second)
        connection.execute(f'DROP SCHEMA "{database}"."{first}" CASCADE')
    other = {first: second, second: first}
    _make_views(connection, [(view.at(other[view.schema]), sql) for view, sql in views])


def _swap_tables(connection: duckdb.DuckDBPyConnection, database: str, first: str, second: str) -> None:
    connection.execute(f'CREATE SCHEMA "{database}"."{_PARKED}"')
    _move_tables(connection, database, second, _PARKED)
    _move_tables(connection, database, first, second)
    _move_tables(connection, database, _PARKED, first)
    connection.execute(f'DROP SCHEMA "{database}"."{_PARKED}" CASCADE')


def _move_tables(connection: duckdb.DuckDBPyConnection, database: str, source: str, target: str) -> None:
    for (name,) in _tables_of(connection, database, source):
        place = Place(database, source, name)
        _move(connection, place, place.at(target))


def _take_views(connection: duckdb.DuckDBPyConnection, database: str, schema: str) -> list[tuple[Place, str]]:
    """Drop the schema's views and return the text of each: it goes on reading the names it was made of."""
    rows = connection.execute(
        "SELECT view_name, sql FROM duckdb_views() WHERE database_name = ? AND schema_name = ?", [database, schema]
    ).fetchall()
    views = [(Place(database, schema, name), re.split(r"\bAS\b", sql, maxsplit=1)[1]) for name, sql in rows]
    for view, _ in views:
        connection.execute(f"DROP VIEW {view}")
    return views


def _tables_of(connection: duckdb.DuckDBPyConnection, database: str, schema: str) -> list[tuple[str]]:
    return connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? ORDER BY ALL",
        [database, schema],
    ).fetchall()


def _make_views(connection: duckdb.DuckDBPyConnection, views: list[tuple[Place, str]]) -> None:
    """A view that reads another one is made after it."""
    texts = {str(place).upper(): (place, sql) for place, sql in views}
    order = TopologicalSorter({name: _reads(sql) & texts.keys() - {name} for name, (_, sql) in texts.items()})
    for name in order.static_order():
        place, sql = texts[name]
        connection.execute(f"CREATE VIEW {place} AS {sql}")


def _reads(sql: str) -> set[str]:
    tables = sqlglot.parse_one(sql, read="duckdb").find_all(exp.Table)
    return {str(Place(table.catalog, table.db, table.name)).upper() for table in tables}


# --- names ---


def _parts(name: str) -> list[str]:
    parts = exp.to_table(name, dialect="snowflake").parts
    return [part.name if part.args.get("quoted") else part.name.upper() for part in parts]


def _table(name: str, session: "Session") -> Place:
    return Place(*session.qualified(_parts(name)))


def _schema(name: str, session: "Session") -> tuple[str, str]:
    database, schema, _ = session.qualified([*_parts(name), ""])
    return database, schema
