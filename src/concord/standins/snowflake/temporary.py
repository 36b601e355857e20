"""Temporary tables and views: ordinary ones with a mark, dropped when their session ends.

The engine has temporary tables in a catalog of their own only, and clients name the database. The
mark is the object's comment in the engine, so it goes where the object goes and outlives a kill.
"""

from collections.abc import Sequence

import duckdb

from concord.standins.snowflake.failures import Refused

MARK = "temporary:"

_OBJECTS = """
    SELECT 'TABLE' AS kind, database_name, schema_name, table_name AS name, comment FROM duckdb_tables()
    UNION ALL
    SELECT 'VIEW', database_name, schema_name, view_name, comment FROM duckdb_views() WHERE NOT internal
"""
_BY_NAME = f"""
    SELECT kind, comment FROM ({_OBJECTS})
    WHERE upper(database_name) = upper(?) AND upper(schema_name) = upper(?) AND upper(name) = upper(?)
"""
_BY_MARK = f"SELECT kind, database_name, schema_name, name FROM ({_OBJECTS}) WHERE starts_with(comment, ?)"


def refuse_to_hide(connection: duckdb.DuckDBPyConnection, place: Sequence[str]) -> None:
    """A temporary table hides one of its name in Snowflake; here it would take its place for good."""
    found = connection.execute(_BY_NAME, list(place)).fetchone()
    if found is not None and not str(found[1]).startswith(MARK):
        name = ".".join(place)
        raise Refused(f"the stand-in cannot hide {name} behind a temporary table of its name", 2002, "42710")


def mark(connection: duckdb.DuckDBPyConnection, place: Sequence[str], session_id: str) -> None:
    """Remember whose it is."""
    found = connection.execute(_BY_NAME, list(place)).fetchone()
    if found is not None:
        connection.execute(f"COMMENT ON {found[0]} {_quoted(place)} IS '{MARK}{session_id}'")


def drop(connection: duckdb.DuckDBPyConnection, session_id: str = "") -> None:
    """What the session left behind; without one, what all sessions did."""
    for kind, *place in connection.execute(_BY_MARK, [f"{MARK}{session_id}"]).fetchall():
        connection.execute(f"DROP {kind} IF EXISTS {_quoted(place)}")


def _quoted(place: Sequence[str]) -> str:
    return ".".join(f'"{part}"' for part in place)
