"""One record of a change topic: a row of its table's change log, or what keeps it from being one.

Debezium sends every column that PostgreSQL has, nulls too. So a declared column that a record lacks was
dropped or renamed, and one that it has beyond them was added: the first is a fault, the second is passed over
until the contract declares it. Nothing is rounded, wrapped or guessed to make a value fit.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Context
from decimal import Decimal as Number
from typing import Any, NamedTuple

import orjson

from concord.contracts.model import Column, Dataset
from concord.contracts.tables import CDC_METADATA
from concord.contracts.types import (
    BigInt,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    Json,
    Text,
    Uuid,
)
from concord.contracts.wire import (
    DATE_PATTERN,
    INSTANT_PATTERN,
    INTEGER_PATTERN,
    STORABLE_MS,
    STORABLE_YEARS,
    exact_decimal_pattern,
    integer_bounds,
)

Row = dict[str, Any]
Read = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXACT = Context(prec=76)
OPERATIONS = next(column.type.values for column in CDC_METADATA if isinstance(column.type, Category))
OPERATION, DELETE = "__op", "d"


class UnfitChange(Exception):
    """``pointer`` is a JSON pointer to the field at fault, empty for the whole record."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(pointer, detail)
        self.pointer = pointer
        self.detail = detail


class Field(NamedTuple):
    """One column of a record. ``read`` makes the value of what was sent, and raises ValueError where it would be lost."""

    name: str
    read: Read
    nullable: bool
    may_be_absent: bool

    def refuse_none(self, document: Mapping[str, Any]) -> None:
        """Raises ValueError if the document, which has no value for the column, should have one."""
        if self.name not in document:
            if not self.may_be_absent:
                raise ValueError("is missing")
        elif not self.nullable:
            raise ValueError("is null")


def change_reader(table: Dataset) -> Callable[[bytes], Row]:
    """A function from a record to the row's values and its CDC metadata, typed. It raises :class:`UnfitChange`.

    Of a delete only the key counts: the rest is filler.
    """
    metadata = [_metadata(column) for column in CDC_METADATA]
    whole = [*map(_field, table.columns), *metadata]
    of_delete = [*(_field(column) for column in table.columns if column.name in table.key), *metadata]
    nothing: Row = dict.fromkeys(field.name for field in whole)

    def read(record: bytes) -> Row:
        document = _document(record)
        operation = document.get(OPERATION)
        if operation not in OPERATIONS:
            raise UnfitChange(f"/{OPERATION}", f"is none of {', '.join(OPERATIONS)}")
        row = nothing.copy()
        for field in of_delete if operation == DELETE else whole:
            sent = document.get(field.name)
            try:
                if sent is None:
                    field.refuse_none(document)
                else:
                    row[field.name] = field.read(sent)
            except ValueError as error:
                raise UnfitChange(f"/{field.name}", str(error)) from None
        return row

    return read


def _document(record: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(record)
    except orjson.JSONDecodeError:
        raise UnfitChange("", "is no JSON") from None
    if not isinstance(document, dict):
        raise UnfitChange("", "is JSON but no object")
    return document


def _field(column: Column) -> Field:
    return Field(column.name, _read(column), column.nullable, column.may_be_absent)


def _metadata(column: Column) -> Field:
    """Debezium's own instants are milliseconds since the epoch. What it does not say is null."""
    match column.type:
        case Category():
            read: Read = _as_it_is
        case Instant():
            read = _since_epoch
        case _:
            read = _long
    return Field(column.name, read, nullable=True, may_be_absent=True)


def _as_it_is(value: Any) -> Any:
    return value


def _read(column: Column) -> Read:
    match column.type:
        case BigInt():
            return _integer(64)
        case Integer():
            return _integer(32)
        case Decimal(precision, scale):
            return _decimal(precision, scale)
        case Instant():
            return _instant
        case Date():
            return _date
        case Boolean():
            return _boolean
        case Text() | Category() | Json() | Uuid():
            return _text
    raise TypeError(f"no change record holds {column.type}")


def _integer(bits: int) -> Read:
    lowest, highest = integer_bounds(bits)

    def read(value: Any) -> int:
        if type(value) is int and lowest <= value <= highest:
            return value
        text = _text(value)
        if not _AN_INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
            raise ValueError(f"is not an integer of {bits} bits")
        return int(text)

    return read


_AN_INTEGER = re.compile(INTEGER_PATTERN)
LOWEST, HIGHEST = integer_bounds(64)
NOT_STORABLE = "is not between the years {} and {}".format(*STORABLE_YEARS)


def _long(value: Any) -> int:
    if type(value) is not int or not LOWEST <= value <= HIGHEST:
        raise ValueError("is not an integer of 64 bits")
    return value


def _since_epoch(value: Any) -> datetime:
    first, last = STORABLE_MS
    if type(value) is not int or not first <= value <= last:
        raise ValueError(NOT_STORABLE)
    return EPOCH + timedelta(milliseconds=value)


def _decimal(precision: int, scale: int) -> Read:
    fits, unit = re.compile(exact_decimal_pattern(precision, scale)), Number(1).scaleb(-scale)

    def read(value: Any) -> Number:
        text = _text(value)
        if not fits.fullmatch(text):
            raise ValueError(f"does not fit a decimal ({precision}, {scale})")
        return Number(text).quantize(unit, context=EXACT)

    return read


_AN_INSTANT = re.compile(INSTANT_PATTERN)
_A_DATE = re.compile(DATE_PATTERN)


def _instant(value: Any) -> datetime:
    """UTC, cut to milliseconds."""
    first, last = STORABLE_YEARS
    if not isinstance(value, str) or not _AN_INSTANT.fullmatch(value):
        raise ValueError("is not a time with a zone")
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except OverflowError:
        raise ValueError(NOT_STORABLE) from None
    if not first <= moment.year <= last:
        raise ValueError(NOT_STORABLE)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _date(value: Any) -> date:
    """Debezium puts a zone behind a date."""
    text = value.removesuffix("Z") if isinstance(value, str) else ""
    if not _A_DATE.fullmatch(text):
        raise ValueError("is not a date")
    return date.fromisoformat(text)


def _boolean(value: Any) -> bool:
    text = _text(value)
    if text not in ("true", "false"):
        raise ValueError("is not a boolean")
    return text == "true"


def _text(value: Any) -> str:
    """Text as it is; of anything else its JSON, numbers as the stream's engine spells them."""
    if isinstance(value, float):
        return _in_java(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _in_java(number: float) -> str:
    """With an exponent where Java puts one: the layers must come to the same text."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Number(repr(number)).normalize().as_tuple()
    first, *rest = map(str, digits)
    return f"{'-' * sign}{first}.{''.join(rest) or 0}E{len(rest) + int(exponent)}"
