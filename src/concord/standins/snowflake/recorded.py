"""Statements in their own words, noted only where that was asked for: they may name persons.

A server without roles takes what an account would refuse; what was sent as whom shows it all the same.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IDENTIFIER = "identifier(?)"
"""The Spark connector binds names of tables and stages."""


class Recorded:
    """One line of JSON per statement, in the order of their ends: client, role, where it was sent, whether it succeeded."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()

    def note(self, document: Mapping[str, Any], said: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        """One statement that was answered. Of its bound values only names are kept."""
        if self._file is None:
            return
        sql = str(document["sqlText"])
        line = json.dumps({**asked, "succeeded": bool(said.get("success")), "sql": sql, "names": _names(sql, document)})
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _names(sql: str, document: Mapping[str, Any]) -> list[str]:
    if IDENTIFIER not in sql:
        return []
    bindings = document.get("bindings") or {}
    return [str(bindings[place].get("value")) for place in sorted(bindings, key=int)]
