"""The database behind the server: one DuckDB process, one file per Snowflake database."""

import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show, stage

from concord.errors import Misconfigured
from concord.standins.snowflake import history, temporary
from concord.standins.snowflake.history import History
from concord.standins.snowflake.information import tables_view
from concord.standins.snowflake.recorded import Recorded

CACHED_BYTES = 128 << 20
CACHED_RESULTS = 256
NEWEST_RESULTS = 4
"""Kept whatever their size: the Spark connector runs a query and then asks for its result by id."""
_SUFFIX = ".db"
_NOT_A_CLIENTS = {"memory", GLOBAL_DATABASE_NAME, history.DATABASE}


class ResultCache(OrderedDict[str, tuple[Any, ...]]):
    """The last results, for RESULT_SCAN. Old ones are let go when they take too much together."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[str, Sequence[Any]] = {}
        self._bytes: dict[str, int] = {}

    def __setitem__(self, query_id: str, result: tuple[Any, ...]) -> None:
        super().__setitem__(query_id, result)
        self._bytes[query_id] = result[0].nbytes if result[0] is not None else 0
        while self._is_too_large():
            oldest, _ = self.popitem(last=False)
            self._bytes.pop(oldest, None)
            self.types.pop(oldest, None)

    def _is_too_large(self) -> bool:
        is_heavy = sum(self._bytes.values()) > CACHED_BYTES
        return len(self) > CACHED_RESULTS or (is_heavy and len(self) > NEWEST_RESULTS)


MEMORY_LIMIT = "3GB"
"""Not all that is grouped and sorted goes to disk: with 1 GB a test of keys of ten million rows found no room."""


class Engine:
    """All databases of a data directory, attached. Raises :class:`Misconfigured` if another process has them.

    What is committed is in the write-ahead log on disk and survives a kill.
    """

    def __init__(
        self, folder: Path, memory_limit: str = MEMORY_LIMIT, threads: int = 2, record: Path | None = None
    ) -> None:
        self.folder = folder
        self.recorded = Recorded(record)
        self.results = ResultCache()
        self.release_idle: Callable[[float], int] = lambda _seconds: 0
        """Rolls back transactions of sessions that have been idle for that many seconds; set by the sessions."""
        folder.mkdir(parents=True, exist_ok=True)
        self.connection = self._open(memory_limit, threads)
        self.reserved = self._reserved_words()
        self._attach_global()
        for file in sorted(folder.glob(f"*{_SUFFIX}")):
            if file.stem != GLOBAL_DATABASE_NAME:
                self.attach(file.stem)
        self.history = History(folder)
        self.history.attach(self.connection)
        self._forget_temporary_stages()
        temporary.drop(self.connection)

    def _open(self, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
        settings: dict[str, str | bool | int | float | list[str]] = {
            # the parser's translation still writes lambdas with an arrow
            "lambda_syntax": "ENABLE_SINGLE_ARROW",
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(self.folder / "tmp"),
        }
        connection = duckdb.connect(":memory:", config=settings)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        return connection

    def _reserved_words(self) -> frozenset[str]:
        """Words that the engine takes as a name in quotes only; Snowflake has fewer of them."""
        rows = self.connection.execute(
            "SELECT upper(keyword_name) FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
        ).fetchall()
        return frozenset(word for (word,) in rows)

    def _attach_global(self) -> None:
        """Comments, text lengths, stages and file formats of all databases."""
        stage.LOCAL_BUCKET_PATH = str(self.folder / "stages")
        self._attach_file(GLOBAL_DATABASE_NAME)
        self.connection.execute(info_schema.fs_global_creation_sql())
        self.connection.execute(show.fs_global_creation_sql())

    def attach(self, database: str) -> None:
        """Open the database's file, or make it, with what INFORMATION_SCHEMA needs."""
        self._attach_file(database)
        self.prepare(database, self.connection)

    def prepare(self, database: str, connection: duckdb.DuckDBPyConnection) -> None:
        """Everything a Snowflake database has from the start. Changes nothing where it is there."""
        connection.execute(info_schema.per_db_creation_sql(database))
        connection.execute(macros.creation_sql(database))
        connection.execute(tables_view(database))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {database}.PUBLIC")

    def _attach_file(self, database: str) -> None:
        file = self.folder / f"{database}{_SUFFIX}"
        try:
            self.connection.execute(f"ATTACH IF NOT EXISTS DATABASE '{file}' AS {database}")
        except duckdb.IOException as error:
            raise Misconfigured(
                f"snowflake stand-in: cannot open {file}: {str(error).splitlines()[0]}",
                "another stand-in may be running on this data directory",
            ) from None

    def databases(self) -> list[str]:
        rows = self.connection.cursor().execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal")
        return [name for (name,) in rows.fetchall() if name not in _NOT_A_CLIENTS]

    def _forget_temporary_stages(self) -> None:
        stages = f"{GLOBAL_DATABASE_NAME}._fs_information_schema._fs_stages"
        gone = self.connection.execute(
            f"DELETE FROM {stages} WHERE type LIKE '%TEMPORARY' RETURNING database_name, schema_name, name"
        ).fetchall()
        for names in gone:
            shutil.rmtree(self.folder.joinpath("stages", *names), ignore_errors=True)

    def close(self) -> None:
        """Write everything into the database files and let them go."""
        for database in (*self.databases(), GLOBAL_DATABASE_NAME):
            self.connection.execute(f"FORCE CHECKPOINT {database}")
        self.connection.close()
