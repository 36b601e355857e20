"""The parts of fakesnow that are switched off because they change results."""

from typing import Any

from fakesnow import transforms
from sqlglot import Expr


def install() -> None:
    """Once per process, before the first statement."""
    # it makes SUM(NUMBER) a FLOAT, and a bad number in text a silent null
    transforms.numeric_agg_implicit_cast = _as_is
    # it describes a query that is translated half, and forgets NOT NULL; canonical.py does it instead
    transforms.create_table_as = _as_is


def _as_is(expression: Expr, duck_conn: Any = None) -> Expr:
    return expression
