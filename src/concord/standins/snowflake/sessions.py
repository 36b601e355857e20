"""Sessions: who is connected, what they have open, and what becomes of it."""

import secrets
import shutil
import threading
import time
from asyncio import Lock
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from fakesnow.conn import FakeSnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor

from concord.standins.snowflake import temporary
from concord.standins.snowflake.cursor import Cursor
from concord.standins.snowflake.engine import Engine
from concord.standins.snowflake.failures import SessionGone
from concord.standins.snowflake.statements import with_variables

Context = Mapping[str, str | None]
"""What the session answers to CURRENT_ROLE() and the like."""

IDLE_SESSION_SECONDS = 4 * 3600.0


class Session(FakeSnowflakeConnection):
    """One login: a connection of its own to the engine, with a current database and schema.

    One statement runs at a time; :attr:`lock` sees to it.
    """

    def __init__(
        self, engine: Engine, database: str | None, schema: str | None, *, autocommit: bool, context: Context
    ) -> None:
        super().__init__(
            engine.connection.cursor(),
            engine.results,
            database,
            schema,
            create_database=False,
            create_schema=False,
            db_path=engine.folder,
        )
        self.engine = engine
        self.context = context
        self.lock = Lock()
        self.turn = threading.Lock()
        self.commits_each_statement = autocommit
        self.in_transaction = False
        self.changes_in_transaction = 0
        self.aborted: str | None = None
        self.id = secrets.token_hex(8)
        self.temporary_stages: list[tuple[str, str, str]] = []
        self.used_at = time.monotonic()

    @property
    def duck(self) -> duckdb.DuckDBPyConnection:
        return self._duck_conn

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> Cursor:
        return Cursor(self, self._duck_conn)

    def autocommit(self, mode: bool) -> None:
        """As in Snowflake, switching commits what is open."""
        self.commit_open()
        self.commits_each_statement = mode

    def inline(self, sql: str) -> str:
        """The statement with session variables in place of their names."""
        known = {name.upper(): value for name, value in self.variables._variables.items()}
        return with_variables(sql, known)

    def qualified(self, parts: Sequence[str]) -> tuple[str, str, str]:
        """A name of up to three parts with database and schema of the session where it has none."""
        missing = [self.database or "", self.schema or ""][: 3 - len(parts)]
        database, schema, name = [*missing, *parts]
        return database, schema, name

    # --- transactions ---

    def begin(self) -> None:
        """Open a transaction. Within one it does nothing, as in Snowflake."""
        if not self.in_transaction:
            self._duck_conn.begin()
            self.in_transaction, self.changes_in_transaction = True, 0

    def commit_open(self) -> None:
        """Make what is open durable; nothing happens outside a transaction."""
        if self.in_transaction:
            self.in_transaction = False
            self._duck_conn.commit()

    def rollback_open(self) -> None:
        """Undo what is open; nothing happens outside a transaction."""
        if self.in_transaction:
            self.in_transaction = False
            self._duck_conn.rollback()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Commits what is open, then runs its body in a transaction of its own."""
        self.commit_open()
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback_open()
            raise
        self.commit_open()

    def abort(self, reason: str) -> None:
        """Undo what is open and refuse statements until the client has ended its transaction."""
        self.rollback_open()
        self.aborted = reason

    # --- life ---

    def idle_seconds(self) -> float:
        return time.monotonic() - self.used_at

    def touch(self) -> None:
        self.used_at = time.monotonic()

    def end(self) -> None:
        """Undo what is open, drop what was temporary, let the connection go."""
        self.rollback_open()
        temporary.drop(self._duck_conn, self.id)
        for names in self.temporary_stages:
            self._drop_stage(names)
        self.close()

    def _drop_stage(self, names: tuple[str, str, str]) -> None:
        self._duck_conn.execute(
            "DELETE FROM _fs_global._fs_information_schema._fs_stages "
            "WHERE database_name = ? AND schema_name = ? AND name = ?",
            names,
        )
        shutil.rmtree(Path(self.engine.folder, "stages", *names), ignore_errors=True)


class Sessions:
    """All open sessions by token. Those that nobody has used for hours are ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: dict[str, Session] = {}
        engine.release_idle = self.release_idle

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open.values()))

    def login(
        self, database: str | None, schema: str | None, *, autocommit: bool, context: Context
    ) -> tuple[str, Session]:
        """A new session and its token. A database that is not there is not made."""
        self._end_forgotten()
        session = Session(self._engine, database, schema, autocommit=autocommit, context=context)
        token = secrets.token_urlsafe(32)
        self._open[token] = session
        return token, session

    def of(self, token: str) -> Session:
        try:
            return self._open[token]
        except KeyError:
            raise SessionGone("Session no longer exists. New login required to access the service.") from None

    def logout(self, token: str) -> None:
        session = self._open.pop(token, None)
        if session is not None:
            with session.turn:
                session.end()

    def end_all(self) -> None:
        for token in list(self._open):
            self.logout(token)

    def _end_forgotten(self) -> None:
        for token, session in list(self._open.items()):
            if session.idle_seconds() > IDLE_SESSION_SECONDS:
                self.logout(token)

    def release_idle(self, seconds: float) -> int:
        """Roll back transactions nobody has touched for so long: their clients are gone and hold up others."""
        return sum(_release(session, seconds) for session in self)


def _release(session: Session, seconds: float) -> bool:
    if not session.in_transaction or session.idle_seconds() < seconds or not session.turn.acquire(blocking=False):
        return False
    try:
        session.abort(f"idle for {session.idle_seconds():.0f} s while another session waited for its rows")
        return True
    finally:
        session.turn.release()


def final_names(session: Session) -> dict[str, Any]:
    """Where the session stands after a statement, as drivers want to know it."""
    return {"finalDatabaseName": session.database, "finalSchemaName": session.schema}
