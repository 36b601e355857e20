"""ClickHouse, the speed layer's store: rows and Arrow tables in and out."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from concord.contracts.derived import SPEED_POSITION
from concord.contracts.position import Position
from concord.dialects.arrow import pieces
from concord.errors import ConcordError, Misconfigured, Unavailable

T = TypeVar("T")

# The client also logs every error that it raises.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())

CONNECT_SECONDS = 5
ANSWER_SECONDS = 300
STATEMENT_SHOWN = 200
MAX_INSERT_BYTES = 256 << 20
"""The client holds a copy of an insert in memory, the server a few."""

NETWORK_ERROR = None
"""The client gives a server's error a code; what never reached the server has none."""
TRANSIENT_CODES = frozenset({NETWORK_ERROR, 159, 160, 202, 209, 210, 236, 241, 242, 243, 252, 319, 394, 425, 439})
"""Time-outs, too many queries or parts, no memory or space now, cancelled: the same request may succeed later."""
REFUSED_CODES = frozenset({164, 192, 193, 194, 497, 516})
"""Unknown user, wrong password, missing grant, read-only user."""

INSERT_SETTINGS: Mapping[str, Any] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    # Since 24.7 a view's target is not deduplicated unless asked for (trap K10).
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A repeated insert must be cut into the same blocks.
    "input_format_parallel_parsing": 0,
    "max_insert_threads": 1,
}


@dataclass(frozen=True)
class ClickHouse:
    """One server, as one user, in one database. May be sent to Spark's workers: it holds no connection."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The answer's rows; ``{name:Type}`` in ``sql`` is bound from ``params``. Instants are aware UTC."""
        return self.answer(sql, params)[1]

    def query_dicts(self, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The answer's rows as dictionaries."""
        names, rows = self.answer(sql, params)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def answer(self, sql: str, params: Mapping[str, Any] | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows."""
        result = self._ask(sql, lambda client: client.query(sql, parameters=dict(params or {})))
        return list(result.column_names), [tuple(row) for row in result.result_rows]

    def query_arrow(
        self, sql: str, params: Mapping[str, Any] | None = None, given: Mapping[str, pa.Table] | None = None
    ) -> pa.Table:
        """The answer as Arrow. ``given`` are tables that the statement may read by their names."""
        external = _external_data(given or {})
        return self._ask(
            sql,
            lambda client: client.query_arrow(
                sql, parameters=dict(params or {}), use_strings=True, external_data=external
            ),
        )

    def command(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        """Run a statement that returns no rows."""
        return self._ask(sql, lambda client: client.command(sql, parameters=dict(params or {})))

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Name and type of each column that is written, in order; none if there is no such table."""
        described = (
            "select name, type from system.columns where database = {database:String} and table = {table:String}"
        )
        is_written = "and default_kind not in ('MATERIALIZED', 'ALIAS') order by position"
        rows = self.query(f"{described} {is_written}", {"database": self.database, "table": table})
        return [(name, kind) for name, kind in rows]

    def insert_arrow(self, table: str, rows: pa.Table, deduplication_token: str) -> int:
        """Append ``rows``, all or none, once per token: a repeat with the same token changes nothing.

        More than :data:`MAX_INSERT_BYTES` go in pieces, each all or none, which a repeat with the same rows cuts alike.
        """
        if not rows.num_rows:
            return 0
        for number, piece in enumerate(pieces(rows, MAX_INSERT_BYTES)):
            self._insert(table, piece, f"{deduplication_token}|{number}" if number else deduplication_token)
        return rows.num_rows

    def _insert(self, table: str, rows: pa.Table, deduplication_token: str) -> None:
        settings = {**INSERT_SETTINGS, "insert_deduplication_token": deduplication_token}
        self._ask(
            f"insert into {table}", lambda client: client.insert_arrow(table, rows.combine_chunks(), settings=settings)
        )

    def run_file(self, path: Path) -> None:
        """Run every statement of an SQL file, in order."""
        for statement in statements(path.read_text()):
            self.command(statement)

    def position(self) -> Position:
        """What the speed layer holds completely."""
        rows = self.query(
            f"select _topic, _partition, max(_offset) from {SPEED_POSITION.name} group by _topic, _partition"
        )
        return Position.of(rows)

    def _ask(self, statement: str, call: Callable[[Client], T]) -> T:
        try:
            return call(_client(self))
        except ClickHouseError as error:
            raise self._explained(error, statement) from error

    def _explained(self, error: ClickHouseError, statement: str) -> ConcordError:
        code = getattr(error, "code", NETWORK_ERROR)
        if code in TRANSIENT_CODES:
            return Unavailable(
                f"ClickHouse at {self.address} does not answer: {_in_short(error)}", "see `concord status`"
            )
        if code in REFUSED_CODES:
            return Misconfigured(f"ClickHouse at {self.address} refuses user {self.user}: {_in_short(error)}")
        shown = statement[:STATEMENT_SHOWN]
        return Misconfigured(f"ClickHouse at {self.address} cannot run {shown!r}: {_in_short(error)}")


@lru_cache(maxsize=8)
def _client(store: ClickHouse) -> Client:
    """One client per process and user. Without a session, so that threads may share it."""
    return clickhouse_connect.get_client(
        host=store.host,
        port=store.port,
        username=store.user,
        password=store.password,
        database=store.database,
        compress=False,
        tz_mode="aware",
        autogenerate_session_id=False,
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=ANSWER_SECONDS,
    )


def statements(script: str) -> Sequence[str]:
    """The statements of a script, without comment lines. A statement ends with ``;`` at the end of a line."""
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", "\n".join(lines)) if part.strip()]


def _external_data(tables: Mapping[str, pa.Table]) -> Any:
    if not tables:
        return None
    from clickhouse_connect.driver.external import ExternalData

    data = ExternalData()
    for name, table in tables.items():
        data.add_file(file_name=name, data=_as_stream(table), fmt="ArrowStream", structure=_structure(table))
    return data


def _as_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _structure(table: pa.Table) -> str:
    return ", ".join(f"{name} String" for name in table.column_names)


def _in_short(error: Exception) -> str:
    """The server's own words, or the network's, on one line."""
    text = re.sub(r"\s+", " ", str(error))
    if refused := re.search(r"\[Errno \d+\] [A-Z][a-z ]+", text):
        return refused.group()
    return re.sub(r"^.*?DB::Exception: | \(version [^)]*\).*$| \(for url .*$", "", text).strip()
