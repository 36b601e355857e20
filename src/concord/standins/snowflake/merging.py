"""MERGE, by the engine's own: fakesnow's rewriting loses columns that carry no table name, as dbt's do."""

from collections import Counter
from typing import Any

import duckdb
from sqlglot import exp

_COUNTED = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}


def merge(connection: duckdb.DuckDBPyConnection, statement: exp.Merge, params: Any) -> tuple[str, int]:
    """Merge, and answer with the query of its counts and their sum."""
    operations = _operations(statement)
    _unqualify_targets(statement)
    sql = f"{statement.sql(dialect='duckdb')} RETURNING merge_action"
    counts = Counter(str(action) for (action,) in connection.execute(sql, params).fetchall())
    columns = [
        f'{counts[action]} AS "number of rows {word}"' for action, word in _COUNTED.items() if action in operations
    ]
    return f"SELECT {', '.join(columns)}", sum(counts.values())


def _operations(statement: exp.Merge) -> set[str]:
    return {_operation(when.args["then"]) for when in statement.args["whens"].expressions}


def _operation(then: Any) -> str:
    if isinstance(then, exp.Insert):
        return "INSERT"
    return "UPDATE" if isinstance(then, exp.Update) else "DELETE"


def _unqualify_targets(statement: exp.Merge) -> None:
    """The engine wants bare column names left of ``=``."""
    for update in statement.find_all(exp.Update):
        for assignment in update.expressions:
            if isinstance(assignment.this, exp.Column):
                assignment.this.set("table", None)
