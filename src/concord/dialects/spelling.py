"""One engine's SQL spelled for another. The statements are ours, so what sqlglot cannot carry over is an error."""

import sqlglot
from sqlglot.errors import ErrorLevel


def spelled(query: str, read: str, write: str) -> str:
    """The query in the words of ``write``. Raises if a construct of ``read`` has no counterpart there."""
    (statement,) = sqlglot.transpile(query, read=read, write=write, unsupported_level=ErrorLevel.RAISE)
    return statement
