"""The warehouse: statements and transactions through Snowflake's own Python driver.

The driver must not speak to anybody but the account: telemetry, the search for a cloud's metadata
service and certificate revocation lists over plain HTTP are switched off.
"""

import json
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import RLock
from typing import Any

import pyarrow as pa
import snowflake.connector
import stamina
from snowflake.connector import SnowflakeConnection, errors
from snowflake.connector.arrow_context import ArrowConverterContext
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.nanoarrow_arrow_iterator import PyArrowRowIterator  # type: ignore[import-not-found]  # compiled
from snowflake.connector.util_text import split_statements

from concord.contracts.derived import PUBLICATIONS
from concord.contracts.position import Position, Publication
from concord.dialects.snowflake import stripped_type
from concord.errors import ConcordError, Misconfigured, Unavailable


def _make_first_reader() -> None:
    """The driver's reader of Arrow makes its logger when it is first needed; of two threads that need it at once, each
    waits for the other for ever (seen in 4.8.0). Importing is done by one thread, so it is made here.
    """
    rows = pa.table({"n": pa.array([1])})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    PyArrowRowIterator(None, stream.getvalue().to_pybytes(), ArrowConverterContext({}), False, False, False, True)


_make_first_reader()

# The driver also logs every error that it raises.
logging.getLogger("snowflake.connector").setLevel(logging.CRITICAL)

CONNECT_SECONDS = 10
REACH_SECONDS = 3.0
STATEMENT_SECONDS = 1800
"""The driver has one limit for how long a statement may run and for how long it asks a server that has gone."""
STATEMENT_SHOWN = 200
UNKNOWN_DATABASE_OBJECT = frozenset({2003, 2043})
ROLE_REFUSED = "specified in the connect string does not exist or not authorized"
"""An account says so of a role; the driver has no number of its own for it."""
REFUSED_LOGIN = frozenset({250001, 390100, 390144})
NO_SESSION = frozenset({390104, 390111, 390112, 390114})
NO_NETWORK = frozenset({250001, 250003, 250005, 251011, 253003, 290403, 290404})
WAREHOUSE_SCHEMA = "RAW"

Value = Any
Parameters = Sequence[Value] | dict[str, Value] | None
Row = tuple[Any, ...]


@dataclass
class Snowflake:
    """One account, as one user. Connects when first used; one statement at a time.

    Values are bound with ``%s`` (or ``%(name)s``); a literal ``%`` beside values is written ``%%``.
    Numbers with a scale are :class:`~decimal.Decimal`, timestamps aware and in UTC.
    """

    account: str
    host: str
    port: int
    protocol: str
    user: str
    database: str
    schema: str
    warehouse: str
    role: str
    password: str | None = field(default=None, repr=False)
    private_key_file: Path | None = None
    _connection: SnowflakeConnection | None = field(default=None, init=False, repr=False, compare=False)
    _lock: Any = field(default_factory=RLock, init=False, repr=False, compare=False)
    _in_transaction: bool = field(default=False, init=False, repr=False, compare=False)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    # --- statements ---

    def query(self, statement: str, parameters: Parameters = None) -> list[Row]:
        """Every row of the answer."""
        return self._answer(statement, parameters)[1]

    def records(self, statement: str, parameters: Parameters = None) -> list[dict[str, Any]]:
        """Every row of the answer by column name, in lower case as the contracts have it."""
        columns, rows = self._answer(statement, parameters)
        names = [column.lower() for column in columns]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def answer(self, statement: str) -> tuple[list[str], list[Row]]:
        """Column names and rows."""
        return self._answer(statement, None)

    def arrow(self, statement: str) -> pa.Table:
        """The answer as Arrow, with column names in lower case: for tables that are too large for rows."""
        with self._lock, self._in_words(statement):
            cursor = self._run(statement, None)
            names = [column.name.lower() for column in cursor.description or ()]
            if not cursor.rowcount:  # the driver makes no table of an answer without a batch
                return pa.table({name: pa.nulls(0) for name in names})
            return cursor.fetch_arrow_all(force_return_table=True).rename_columns(names)

    def execute(self, statement: str, parameters: Parameters = None) -> int:
        """Run one statement; the number of rows it touched."""
        with self._lock, self._in_words(statement):
            cursor = self._run(statement, parameters)
            return max(cursor.rowcount or 0, 0)

    def execute_many(self, statement: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run ``insert into … values (%s, …)`` for many rows at once; how many."""
        if not rows:
            return 0
        with self._lock, self._in_words(statement):
            self._reach()
            self._connected().cursor().executemany(statement, rows)
            return len(rows)

    def run_file(self, path: Path) -> None:
        """Run every statement of a file, in order. A definition commits by itself, so there is no undoing."""
        self.run_script(path.read_text(encoding="utf-8"))

    def run_script(self, text: str) -> int:
        """Run every statement of the text, in order; how many."""
        statements = statements_of(text)
        for statement in statements:
            self.execute(statement)
        return len(statements)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Definitions (create, alter, drop, truncate) commit at once: keep them outside."""
        with self._lock:
            if self._in_transaction:
                raise Misconfigured("a transaction of the warehouse is open already: they do not nest")
            self.execute("begin")
            self._in_transaction = True
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._in_transaction = False
            self.execute("commit")

    def close(self) -> None:
        """End the session. The next statement opens another."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __enter__(self) -> "Snowflake":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what the platform asks of it ---

    def publication(self) -> Publication | None:
        """The newest published batch: what readers of the warehouse see. None before the first one."""
        name = f"{self.database}.{WAREHOUSE_SCHEMA}.{PUBLICATIONS.name}"
        columns = ", ".join(PUBLICATIONS.names)
        rows = self.query(f"select {columns} from {name} order by published_at desc, batch_id desc limit 1")
        if not rows:
            return None
        batch_id, position, as_of, published_at = rows[0]
        return Publication(batch_id, Position.from_json(json.loads(position)), as_of, published_at)

    def tables(self, schema: str) -> dict[str, list[tuple[str, str, bool]]]:
        """By table, in order: each column's name, type and whether it may be null. Names in lower case."""
        rows = self.query(
            "select lower(table_name), lower(column_name), data_type, numeric_precision, numeric_scale, is_nullable "
            f"from {self.database}.information_schema.columns where table_schema = %s order by 1, ordinal_position",
            (schema.upper(),),
        )
        found: dict[str, list[tuple[str, str, bool]]] = {}
        for table, column, kind, precision, scale, is_nullable in rows:
            bounded = f"{kind}({precision},{scale})" if kind == "NUMBER" else kind
            found.setdefault(table, []).append((column, stripped_type(bounded), is_nullable == "YES"))
        return found

    def spark_options(self) -> dict[str, str]:
        """Options for the official Spark connector (``net.snowflake.spark.snowflake``)."""
        is_plain = self.protocol == "http"
        options = {
            "sfURL": self.address,
            "sfAccount": self.account,
            "sfUser": self.user,
            "sfDatabase": self.database,
            "sfSchema": self.schema,
            "sfWarehouse": self.warehouse,
            "sfRole": self.role,
            "sfSSL": "off" if is_plain else "on",
            # columns without a zone take the wall clock of the session: it must be UTC (as must Java's)
            "sfTimezone": "UTC",
            # the connector keeps its sessions, and with them their stages: the files are to go once loaded
            "purge": "on",
        }
        return {**options, **self._spark_credentials()}

    def _spark_credentials(self) -> dict[str, str]:
        if self.private_key_file is None:
            return {"sfPassword": self.password or ""}
        lines = self.private_key_file.read_text().splitlines()
        return {"pem_private_key": "".join(line for line in lines if not line.startswith("-----"))}

    # --- inside ---

    def _answer(self, statement: str, parameters: Parameters) -> tuple[list[str], list[Row]]:
        with self._lock, self._in_words(statement):
            cursor = self._run(statement, parameters)
            columns = [column.name for column in cursor.description or ()]
            return columns, [tuple(_in_utc(value) for value in row) for row in cursor.fetchall()]

    def _run(self, statement: str, parameters: Parameters) -> SnowflakeCursor:
        """A session that the server has forgotten is replaced, unless a transaction went with it."""
        try:
            return self._send(statement, parameters)
        except errors.Error as error:
            if error.errno not in NO_SESSION or self._in_transaction:
                raise
            self._connection = None
            return self._send(statement, parameters)

    def _send(self, statement: str, parameters: Parameters) -> SnowflakeCursor:
        self._reach()
        cursor = self._connected().cursor()
        cursor.execute(statement, parameters)
        return cursor

    def _roll_back(self) -> None:
        """On a lost connection the server does it when the session ends."""
        try:
            self._send("rollback", None)
        except errors.Error:
            self._connection = None

    def _connected(self) -> SnowflakeConnection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> SnowflakeConnection:
        return snowflake.connector.connect(
            account=self.account,
            host=self.host,
            port=self.port,
            protocol=self.protocol,
            user=self.user,
            database=self.database,
            schema=self.schema,
            warehouse=self.warehouse,
            role=self.role,
            login_timeout=CONNECT_SECONDS,
            network_timeout=STATEMENT_SECONDS,
            client_telemetry=False,
            platform_detection_timeout_seconds=0,
            session_parameters={"CLIENT_TELEMETRY_ENABLED": False, "TIMEZONE": "UTC"},
            **self._credentials(),
        )

    def _credentials(self) -> dict[str, Any]:
        if self.private_key_file is not None:
            return {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(self.private_key_file)}
        return {"password": self.password or ""}

    @stamina.retry(on=OSError, attempts=3, timeout=2 * REACH_SECONDS, wait_initial=0.2)
    def _try_reach(self) -> None:
        socket.create_connection((self.host, self.port), timeout=REACH_SECONDS).close()

    def _reach(self) -> None:
        """The driver would go on asking for its whole time limit where nobody listens."""
        try:
            self._try_reach()
        except OSError as error:
            raise self._unavailable(error.strerror or str(error)) from error

    @contextmanager
    def _in_words(self, statement: str) -> Iterator[None]:
        try:
            yield
        except errors.Error as error:
            raise self._explained(error, statement) from error

    def _explained(self, error: errors.Error, statement: str) -> ConcordError:
        said = " ".join(str(error.raw_msg or error.msg or error).split())
        if error.errno in REFUSED_LOGIN and any(word in said.lower() for word in ("password", "jwt")):
            return Misconfigured(f"Snowflake at {self.address} refuses user {self.user}: {said}")
        if ROLE_REFUSED in said:
            hint = "`concord warehouse setup` makes the roles and grants them to the profile's user"
            return Misconfigured(f"Snowflake at {self.address} does not let {self.user} be {self.role}: {said}", hint)
        if error.errno in NO_NETWORK | NO_SESSION or isinstance(error, errors.HttpError | errors.InterfaceError):
            return self._unavailable(said)
        first = next((line for line in statement.splitlines() if line.strip()), "")[:STATEMENT_SHOWN]
        hint = "`concord up` creates what the pipeline needs" if error.errno in UNKNOWN_DATABASE_OBJECT else ""
        return Misconfigured(f"Snowflake at {self.address} cannot run {first!r}: {said}", hint)

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"Snowflake at {self.address} does not answer: {why}", "see `concord status`")


def statements_of(text: str) -> list[str]:
    """The statements of a script, without its comments."""
    parts = split_statements(StringIO(text), remove_comments=True)
    return [statement for statement, _is_put_or_get in parts if statement and statement.strip(" \n;")]


def _in_utc(value: Any) -> Any:
    """Timestamps without a zone are UTC, as everything that is written here."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
