"""How commands speak: tables for people, one JSON document for machines, never both."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]

console = Console()
errors = Console(stderr=True)


def print_json(document: Any) -> None:
    """One JSON document on standard output; what JSON cannot say becomes text."""
    json.dump(document, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table for the console; numbers are grouped and set to the right."""
    view = Table(title=title, title_justify="left")
    for index, name in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[index], int) and not isinstance(row[index], bool) for row in rows)
        view.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        view.add_row(*(_cell(value) for value in row))
    return view


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
