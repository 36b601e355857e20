"""How a failure reads to a client: an error body, never an HTTP 500 (clients repeat those for minutes)."""

from typing import Any

import duckdb
import snowflake.connector.errors as client_errors

from concord.errors import ConcordError

SYNTAX = (1003, "42000")
UNKNOWN_OBJECT = (2003, "42S02")
WRONG_PASSWORD = 390100
NO_SESSION = 390111
NO_RESULT = 709
IN_PROGRESS = "333333"
LOCK_CONFLICT = 625
ABORTED_TRANSACTION = 90232

_BY_CLASS: tuple[tuple[type[duckdb.Error], tuple[int, str]], ...] = (
    (duckdb.CatalogException, UNKNOWN_OBJECT),
    (duckdb.BinderException, (904, "42000")),
    (duckdb.ParserException, SYNTAX),
    (duckdb.ConstraintException, (100072, "22000")),
    (duckdb.ConversionException, (100038, "22018")),
    (duckdb.OutOfRangeException, (100039, "22003")),
    (duckdb.OutOfMemoryException, (300002, "53200")),
    (duckdb.InterruptException, (604, "57014")),
)
_OTHERWISE = (300002, "XX000")


class Refused(client_errors.ProgrammingError):
    """A statement that cannot run, with the number and SQL state the client sees."""

    def __init__(self, message: str, errno: int, sqlstate: str) -> None:
        super().__init__(msg=message, errno=errno, sqlstate=sqlstate)


class SessionGone(ConcordError):
    """The token belongs to no session: it was closed, or the server has started anew."""


def as_refusal(error: duckdb.Error) -> Refused:
    """The engine's error in Snowflake's numbers."""
    # the engine goes on to show the translated statement, which is not the client's
    said = str(error).split("\n\nLINE ")[0]
    for kind, (errno, sqlstate) in _BY_CLASS:
        if isinstance(error, kind):
            return Refused(said, errno, sqlstate)
    return Refused(said, *_OTHERWISE)


def is_conflict(error: duckdb.Error) -> bool:
    """True if another session changed the same rows or table first."""
    return isinstance(error, duckdb.TransactionException) and "onflict" in str(error)


def body(message: str, errno: int, sqlstate: str = "") -> dict[str, Any]:
    """The JSON document of a failed request."""
    code = f"{errno:06d}"
    return {"success": False, "code": code, "message": message, "data": {"errorCode": code, "sqlState": sqlstate}}


def body_of(error: Exception) -> dict[str, Any]:
    """The JSON document of whatever a statement failed with."""
    if isinstance(error, duckdb.Error):
        error = as_refusal(error)
    if isinstance(error, client_errors.Error):
        return body(str(error.raw_msg or error.msg), error.errno or _OTHERWISE[0], error.sqlstate or _OTHERWISE[1])
    return body(f"the stand-in cannot do this: {type(error).__name__}: {error}", *_OTHERWISE)
