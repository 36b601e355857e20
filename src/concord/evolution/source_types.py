"""Types of PostgreSQL, as Debezium sends their values, and whether those are values of a contract's type.

The counterpart of :mod:`concord.rules.changes`, which judges the records themselves.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp

from concord.contracts.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    JSON,
    TEXT,
    UUID,
    BigInt,
    Binary,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    Json,
    LogicalType,
    Text,
    Uuid,
)


class Kind(StrEnum):
    """What a value is on the wire."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BOOLEAN = "boolean"
    INSTANT = "time with a zone"
    LOCAL_TIME = "time without a zone"
    DATE = "date"
    OTHER = "other"


AS_TEXT = "as text"
MILLISECONDS = 3
"""Digits of a second."""


class Fit(StrEnum):
    ALWAYS = "always"
    PARTLY = "partly"
    NEVER = "never"


@dataclass(frozen=True)
class SourceType:
    """A type of PostgreSQL. ``digits`` before the point and ``scale`` behind it where they are bounded.

    ``declared`` is the contract's type for it; ``is_serial``: every row gets a number.
    """

    sql: str
    kind: Kind
    declared: LogicalType | None = None
    digits: int | None = None
    scale: int | None = None
    is_serial: bool = False


SERIALS = {
    exp.DType.SMALLSERIAL: exp.DType.SMALLINT,
    exp.DType.SERIAL: exp.DType.INT,
    exp.DType.BIGSERIAL: exp.DType.BIGINT,
}

KINDS: dict[exp.DType, tuple[Kind, LogicalType | None, int | None]] = {
    exp.DType.SMALLINT: (Kind.INTEGER, INTEGER, 5),
    exp.DType.INT: (Kind.INTEGER, INTEGER, 10),
    exp.DType.BIGINT: (Kind.INTEGER, BIGINT, 19),
    exp.DType.FLOAT: (Kind.FLOAT, None, None),
    exp.DType.DOUBLE: (Kind.FLOAT, None, None),
    exp.DType.TEXT: (Kind.TEXT, TEXT, None),
    exp.DType.VARCHAR: (Kind.TEXT, TEXT, None),
    exp.DType.CHAR: (Kind.TEXT, TEXT, None),
    exp.DType.BPCHAR: (Kind.TEXT, TEXT, None),
    exp.DType.UUID: (Kind.TEXT, UUID, None),
    exp.DType.JSON: (Kind.TEXT, JSON, None),
    exp.DType.JSONB: (Kind.TEXT, JSON, None),
    exp.DType.USERDEFINED: (Kind.TEXT, TEXT, None),
    exp.DType.BOOLEAN: (Kind.BOOLEAN, BOOLEAN, None),
    exp.DType.TIMESTAMPTZ: (Kind.INSTANT, INSTANT, None),
    exp.DType.TIMESTAMP: (Kind.LOCAL_TIME, INSTANT, None),
    exp.DType.DATE: (Kind.DATE, DATE, None),
}
"""How Debezium sends it, the contract's type for it, and how many digits an integer of it may have."""


def source_type(given: exp.DataType) -> SourceType:
    sql = given.sql("postgres").lower()
    if given.this == exp.DType.DECIMAL:
        return _decimal(sql, _bounds(given))
    kind, declared, digits = KINDS.get(SERIALS.get(given.this, given.this), (Kind.OTHER, None, None))
    scale = 0 if kind is Kind.INTEGER else next(iter(_bounds(given)), None) if kind is Kind.INSTANT else None
    return SourceType(sql, kind, declared, digits, scale, given.this in SERIALS)


def _bounds(given: exp.DataType) -> list[int]:
    return [int(param.name) for param in given.expressions if isinstance(param, exp.DataTypeParam)]


def _decimal(sql: str, bounds: list[int]) -> SourceType:
    if not bounds:
        return SourceType(sql, Kind.DECIMAL)
    precision, scale = (*bounds, 0)[:2]
    return SourceType(sql, Kind.DECIMAL, Decimal(precision, scale), precision - scale, scale)


def fit(sent: SourceType, declared: LogicalType) -> tuple[Fit, str]:
    """Whether values of the source's type are values of the contract's, and what is not."""
    match declared:
        case Text() | Category() | Json() | Uuid():
            return Fit.ALWAYS, "" if sent.kind is Kind.TEXT else AS_TEXT
        case Integer() | BigInt():
            return _integer(sent, isinstance(declared, BigInt))
        case Decimal(precision, scale):
            return _in_decimal(sent, precision - scale, scale, f"decimal ({precision}, {scale})")
        case Instant():
            return _in_instant(sent)
        case Date():
            return _same(sent, Kind.DATE, "a date")
        case Boolean():
            return _same(sent, Kind.BOOLEAN, "a boolean")
        case Binary():
            return Fit.NEVER, "no change record holds bytes"
    raise TypeError(f"no fit for {declared}")


def _integer(sent: SourceType, is_big: bool) -> tuple[Fit, str]:
    bits = 64 if is_big else 32
    if sent.kind is Kind.TEXT or (sent.kind is Kind.DECIMAL and sent.digits is None):
        return Fit.PARTLY, f"values that are no integer of {bits} bits"
    if sent.scale != 0 or sent.digits is None:
        return Fit.NEVER, f"{sent.sql} is not sent as an integer"
    if sent.declared in (INTEGER, BIGINT):
        return (Fit.ALWAYS, "") if is_big or sent.declared == INTEGER else (Fit.PARTLY, "values beyond 32 bits")
    surely = len(str(2 ** (bits - 1))) - 1
    return (Fit.ALWAYS, "") if sent.digits <= surely else (Fit.PARTLY, f"values beyond {bits} bits")


def _in_decimal(sent: SourceType, digits: int, scale: int, name: str) -> tuple[Fit, str]:
    if sent.kind in (Kind.FLOAT, Kind.TEXT) or (sent.kind is Kind.DECIMAL and sent.digits is None):
        return Fit.PARTLY, f"values that are no {name} to the last digit"
    if sent.digits is None or sent.scale is None:
        return Fit.NEVER, f"{sent.sql} is not sent as a decimal"
    too_many = [what for what, is_so in (("before", sent.digits > digits), ("behind", sent.scale > scale)) if is_so]
    if too_many:
        return Fit.PARTLY, f"values with more digits {' or '.join(too_many)} the point than {name} has"
    return Fit.ALWAYS, ""


def _in_instant(sent: SourceType) -> tuple[Fit, str]:
    if sent.kind is Kind.INSTANT:
        return Fit.ALWAYS, "to the millisecond"
    if sent.kind is Kind.LOCAL_TIME:
        return Fit.ALWAYS, "as UTC: so Debezium sends it"
    return _same(sent, Kind.INSTANT, "a time with a zone")


def _same(sent: SourceType, kind: Kind, name: str) -> tuple[Fit, str]:
    if sent.kind is kind:
        return Fit.ALWAYS, ""
    if sent.kind is Kind.TEXT:
        return Fit.PARTLY, f"texts that are not {name}"
    return (Fit.NEVER, f"{sent.sql} is not sent as {name}")


def alters(sent: SourceType, declared: LogicalType) -> bool:
    """Whether PostgreSQL, asked to make its column this type, rounds, cuts or pads values that it does not refuse."""
    match declared:
        case Integer() | BigInt():
            return sent.kind is Kind.FLOAT
        case Decimal(_, scale):
            return sent.kind is Kind.FLOAT or (sent.scale is not None and sent.scale < scale)
        case Instant():
            return sent.kind is not Kind.INSTANT or (sent.scale is not None and sent.scale < MILLISECONDS)
        case Text() | Category():
            return sent.sql.startswith(("char", "bpchar"))
        case _:
            return False


def spelled(declared: LogicalType | None) -> str:
    """The type in the words of ``contracts/types.py``."""
    match declared:
        case None:
            return "TEXT"
        case Decimal(precision, scale):
            return f"Decimal({precision}, {scale})"
        case _:
            return type(declared).__name__.upper()
