"""The shop's database: sessions, bulk copies and fences. Speaks through psycopg alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import stamina
from psycopg import errors as server
from psycopg import sql

from concord.contracts.tables import TABLES
from concord.errors import ConcordError, ContractViolation, Misconfigured, Unavailable

Value = int | str | bytes | bool | Decimal | datetime | Sequence[Any] | None
Parameters = Sequence[Value] | Mapping[str, Value] | None
Row = tuple[Any, ...]

CONNECT_SECONDS = 10
LOCK_WAIT_MS = 200
"""A writer that takes the tables in another order than the fence may wait for it while it waits for
the writer. Writers look for such a deadlock after one second; four waits of this length end before
that, so it is always the fence that gives way and never the writer that is killed."""

REFUSED_LOGIN = ("password authentication failed", "no pg_hba.conf entry", "does not exist", "not permitted to log in")


class TablesBusy(Unavailable):
    """A lock was not to be had in time; trying again is the answer."""


def until_free(patience: float) -> Iterable[stamina.Attempt]:
    """Attempts that may meet busy tables, for so many seconds."""
    return stamina.retry_context(
        on=TablesBusy, attempts=None, timeout=patience, wait_initial=0.01, wait_max=0.3, wait_jitter=0.05
    )


class Session:
    """One connection. Outside of :meth:`transaction` every statement commits by itself."""

    def __init__(self, connection: psycopg.Connection[Row], address: str) -> None:
        self._connection = connection
        self._address = address

    def query(self, statement: str, parameters: Parameters = None) -> list[Row]:
        """Every row of the answer."""
        with self._in_words():
            return self._connection.execute(statement, parameters).fetchall()

    def stream(self, statement: str, parameters: Parameters = None, page: int = 20_000) -> Iterator[Row]:
        """The rows of a large answer, page by page. Needs an open transaction."""
        with self._in_words(), self._connection.cursor(name="stream") as cursor:
            cursor.itersize = page
            yield from cursor.execute(statement, parameters)

    def answer(self, statement: str) -> tuple[list[str], list[Row]]:
        """Column names and rows; both empty for a statement that has no answer."""
        with self._in_words():
            cursor = self._connection.execute(statement)
            if cursor.description is None:
                return [], []
            return [column.name for column in cursor.description], cursor.fetchall()

    def execute(self, statement: str, parameters: Parameters = None) -> int:
        """Run one statement; the number of rows it touched (-1 inside a pipeline, where it is not known yet)."""
        with self._in_words():
            return self._connection.execute(statement, parameters).rowcount

    def prepared(self, statement: str, parameters: Parameters = None) -> None:
        """Run a statement that comes again and again: it is parsed once per session."""
        with self._in_words():
            self._connection.execute(statement, parameters, prepare=True)

    def run_file(self, path: Path) -> None:
        """Run every statement of a file in one transaction."""
        with self.transaction():
            self.execute(path.read_text())

    def copy_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
        """Append rows by COPY; how many. Not for captured tables: rows of one COPY share log positions (trap K1)."""
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(*table.split(".")), names)
        with self._in_words(), self._connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
            return cursor.rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside a pipeline nothing is waited for."""
        self.prepared("begin")
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self.prepared("commit")

    @contextmanager
    def locked(self, *tables: str, mode: str = "share row exclusive") -> Iterator[None]:
        """A transaction beside which nobody writes these tables. Raises :class:`TablesBusy` if somebody is at it now."""
        with self.transaction():
            self.execute(f"set local lock_timeout = {LOCK_WAIT_MS}")
            self.execute(f"lock table {', '.join(tables)} in {mode} mode")
            yield

    @contextmanager
    def pipeline(self) -> Iterator["Pipeline"]:
        """Statements are sent without waiting for answers; errors show at :meth:`Pipeline.sync` or at the end."""
        with self._in_words(), self._connection.pipeline() as pipeline:
            yield Pipeline(self, pipeline)

    def _roll_back(self) -> None:
        """In a broken pipeline or on a lost connection the server does it when the session ends."""
        if self._connection.pgconn.pipeline_status or self._connection.closed:
            self._connection.close()
        else:
            self._connection.rollback()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise _in_words(error, self._address) from error


class Pipeline:
    """The open pipeline of a session."""

    def __init__(self, session: Session, pipeline: psycopg.Pipeline) -> None:
        self._session = session
        self._pipeline = pipeline

    def sync(self) -> None:
        """Wait until everything sent is done. Raises what the server refused."""
        with self._session._in_words():
            self._pipeline.sync()


@dataclass(frozen=True)
class Fence:
    """A moment with no writer in flight. ``reader`` sees the four tables exactly as they were then.

    In the change topics, what came before has a ``__source_lsn`` below the one of the fence's own record.
    """

    id: int
    label: str
    reader: Session


@dataclass(frozen=True)
class Postgres:
    """One database, as one role. Nothing is connected before it is used."""

    host: str
    port: int
    database: str
    user: str
    password: str

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"

    @contextmanager
    def connect(self) -> Iterator[Session]:
        """A session in UTC, closed at the end. Raises :class:`Unavailable` or :class:`Misconfigured`."""
        with self._opened() as connection:
            yield Session(connection, self.address)

    def query(self, statement: str, parameters: Parameters = None) -> list[Row]:
        """Every row of the answer, from a session of its own."""
        with self.connect() as session:
            return session.query(statement, parameters)

    def answer(self, statement: str) -> tuple[list[str], list[Row]]:
        """Column names and rows, from a session of its own."""
        with self.connect() as session:
            return session.answer(statement)

    def execute(self, statement: str, parameters: Parameters = None) -> int:
        """Run one statement in a session of its own; the number of rows it touched."""
        with self.connect() as session:
            return session.execute(statement, parameters)

    def run_file(self, path: Path) -> None:
        """Run every statement of a file in one transaction."""
        with self.connect() as session:
            session.run_file(path)

    def copy_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
        """Append rows by COPY; how many."""
        with self.connect() as session:
            return session.copy_rows(table, columns, rows)

    @contextmanager
    def fence(self, label: str, patience: float = 60.0) -> Iterator[Fence]:
        """Stop all writers for an instant, mark it, and read the tables as of then.

        The mark is committed before the reader is handed out, so writers wait for milliseconds only.
        Raises :class:`Unavailable` if the locks are not to be had within ``patience`` seconds.
        """
        with self.connect() as marker, self.connect() as reader:
            for attempt in until_free(patience):
                with attempt:
                    number = _mark(marker, reader, label)
            yield Fence(number, label, reader)

    def _opened(self) -> psycopg.Connection[Row]:
        try:
            return psycopg.connect(
                host=self.host,
                port=self.port,
                dbname=self.database,
                user=self.user,
                password=self.password,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                options="-c timezone=UTC",
                application_name="concord",
            )
        except psycopg.Error as error:
            raise _refusal(error, self.address, self.user) from error


def _mark(marker: Session, reader: Session, label: str) -> int:
    with marker.locked(*TABLES, mode="share"):
        [(number,)] = marker.query(
            "insert into fence (label, created_at) values (%s, clock_timestamp()) returning id", (label,)
        )
        [(snapshot,)] = marker.query("select pg_export_snapshot()")
        reader.execute("begin isolation level repeatable read read only")
        reader.execute(f"set transaction snapshot '{snapshot}'")
    return int(number)


def _refusal(error: psycopg.Error, address: str, user: str) -> ConcordError:
    reason = " ".join(str(error).split())
    if any(words in reason for words in REFUSED_LOGIN):
        return Misconfigured(f"PostgreSQL at {address} refuses {user}: {reason}", "check the address and the secrets")
    return Unavailable(f"PostgreSQL at {address} does not answer: {reason}", "is it running? concord status")


def _in_words(error: psycopg.Error, address: str) -> ConcordError:
    """What the server said, as one of our kinds of failure."""
    said = f"PostgreSQL at {address}: {_message(error)}"
    match error:
        case server.LockNotAvailable() | server.DeadlockDetected() | server.SerializationFailure():
            return TablesBusy(said, "others are writing: try again")
        case server.DiskFull():
            return Unavailable(said, "free some space on the disk of the server")
        case psycopg.IntegrityError() | psycopg.DataError():
            return ContractViolation(said)
        case psycopg.ProgrammingError() | psycopg.NotSupportedError():
            return Misconfigured(said, error.diag.message_hint or "")
        case _:
            return Unavailable(said, "is it running? concord status")


def _message(error: psycopg.Error) -> str:
    detail = error.diag.message_detail
    primary = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
    return f"{primary} ({detail})" if detail else primary
