"""SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY: what was run, by whom, on which warehouse, for how long.

Under the names of a real account, but with this machine's seconds and without what only an account knows:
partitions, spilling, sizes of warehouses. No statement's text is kept: it may name persons.
"""

import csv
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb

from concord.standins.snowflake.statements import LEAD

DATABASE = "SNOWFLAKE"
FILE = "query_history.csv"
KEPT_BYTES = 64 << 20

COLUMNS = {
    "QUERY_ID": "VARCHAR",
    "QUERY_TYPE": "VARCHAR",
    "DATABASE_NAME": "VARCHAR",
    "SCHEMA_NAME": "VARCHAR",
    "USER_NAME": "VARCHAR",
    "ROLE_NAME": "VARCHAR",
    "WAREHOUSE_NAME": "VARCHAR",
    "WAREHOUSE_SIZE": "VARCHAR",
    "CLUSTER_NUMBER": "BIGINT",
    "EXECUTION_STATUS": "VARCHAR",
    "START_TIME": "TIMESTAMPTZ",
    "END_TIME": "TIMESTAMPTZ",
    "TOTAL_ELAPSED_TIME": "BIGINT",
    "PARTITIONS_SCANNED": "BIGINT",
    "PARTITIONS_TOTAL": "BIGINT",
    "BYTES_SPILLED_TO_LOCAL_STORAGE": "BIGINT",
    "BYTES_SPILLED_TO_REMOTE_STORAGE": "BIGINT",
}
_COMPUTES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "CREATE_TABLE_AS_SELECT"})
"""Kinds that need a warehouse; an account answers the others from its metadata."""
_FIRST_WORD = re.compile(rf"{LEAD}[\s(]*(\w+)", re.DOTALL)
_AS_SELECT = re.compile(
    rf"{LEAD}create\s+(?:or\s+replace\s+)?(?:\w+\s+){{0,2}}table\b.*?\bas\s*\(?\s*(?:select|with)\b",
    re.IGNORECASE | re.DOTALL,
)


class History:
    """A file beside the databases: one line per statement, the oldest forgotten when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock = threading.Lock()
        self._shorten()

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make it readable as an account does."""
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
        read = f"read_csv('{self._file}', header = true, auto_detect = false, quote = '\"', columns = {{{columns}}})"
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {DATABASE}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.ACCOUNT_USAGE")
        connection.execute(f"CREATE OR REPLACE VIEW {DATABASE}.ACCOUNT_USAGE.QUERY_HISTORY AS SELECT * FROM {read}")

    def note(
        self, sql: str, said: Mapping[str, Any], where: Mapping[str, Any], begun: datetime, ended: datetime
    ) -> None:
        """One statement that was answered."""
        kind, data = kind_of(sql), said.get("data") or {}
        row = {
            **where,
            "QUERY_ID": data.get("queryId"),
            "QUERY_TYPE": kind,
            "CLUSTER_NUMBER": 1 if kind in _COMPUTES else None,
            "EXECUTION_STATUS": "SUCCESS" if said.get("success") else "FAIL",
            "START_TIME": begun.isoformat(),
            "END_TIME": ended.isoformat(),
            "TOTAL_ELAPSED_TIME": round((ended - begun).total_seconds() * 1000),
        }
        with self._lock, self._file.open("a") as file:
            file.write(_line([row.get(name) for name in COLUMNS]))

    def _shorten(self) -> None:
        lines = self._file.read_text().splitlines(keepends=True)[1:] if self._file.exists() else []
        if sum(map(len, lines)) > KEPT_BYTES:
            lines = lines[len(lines) // 2 :]
        self._file.write_text("".join([_line(list(COLUMNS)), *lines]))


def kind_of(sql: str) -> str:
    """As an account calls it, as far as it matters for what it costs."""
    if _AS_SELECT.match(sql):
        return "CREATE_TABLE_AS_SELECT"
    match = _FIRST_WORD.match(sql)
    word = match[1].upper() if match else "UNKNOWN"
    return "SELECT" if word == "WITH" else word


def _line(values: list[Any]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
