"""Checks and conversions of one value of an event, projected from its column's declaration."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import Any

from concord.contracts.model import Column
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
from concord.contracts.wire import DATE_PATTERN, INSTANT_PATTERN, UUID_PATTERN, decimal_pattern, integer_bounds
from concord.rules.violations import Reason, Violation

Check = Callable[[Any], None]


def value_check(column: Column) -> Check:
    """A function that raises :class:`Violation` unless a value, not null, is what the column declares."""
    match column.type:
        case BigInt():
            return _integer(column, 64)
        case Integer():
            return _integer(column, 32)
        case Decimal(precision, scale):
            return _formatted(decimal_pattern(precision, scale), f"a decimal ({precision}, {scale}) of 0 or more")
        case Uuid():
            return _formatted(UUID_PATTERN, "a UUID")
        case Instant():
            return _dated(INSTANT_PATTERN, datetime.fromisoformat, "an RFC 3339 time with a zone")
        case Date():
            return _dated(DATE_PATTERN, date.fromisoformat, "a date")
        case Category(values) if values:
            return _one_of(frozenset(str(value) for value in values))
        case Text() | Category():
            return _text(column)
        case Boolean():
            return lambda value: _require(value, bool, "a boolean")
        case Json():
            return lambda value: _require(value, dict, "an object")
    raise TypeError(f"no check for {column.type}")


def _require(value: Any, kind: type, what: str) -> None:
    """Exactly that type: in Python a boolean is also an integer."""
    if type(value) is not kind:
        raise Violation(Reason.WRONG_TYPE, f"is not {what}")


def _integer(column: Column, bits: int) -> Check:
    lowest, highest = integer_bounds(bits)
    minimum = lowest if column.minimum is None else column.minimum
    maximum = highest if column.maximum is None else column.maximum

    def check(value: Any) -> None:
        _require(value, int, "an integer")
        if not minimum <= value <= maximum:
            raise Violation(Reason.OUT_OF_RANGE, f"is not between {minimum} and {maximum}")

    return check


def _text(column: Column) -> Check:
    longest, pattern = column.max_length, column.pattern and re.compile(column.pattern)

    def check(value: Any) -> None:
        _require(value, str, "a string")
        if longest is not None and len(value) > longest:
            raise Violation(Reason.OUT_OF_RANGE, f"is longer than {longest} characters")
        if pattern and not pattern.fullmatch(value):
            raise Violation(Reason.BAD_FORMAT, f"does not match {column.pattern}")

    return check


def _one_of(values: frozenset[str]) -> Check:
    def check(value: Any) -> None:
        _require(value, str, "a string")
        if value not in values:
            raise Violation(Reason.OUT_OF_RANGE, f"is none of {', '.join(sorted(values))}")

    return check


def _formatted(pattern: str, what: str) -> Check:
    whole = re.compile(pattern)

    def check(value: Any) -> None:
        _require(value, str, "a string")
        if not whole.fullmatch(value):
            raise Violation(Reason.BAD_FORMAT, f"is not {what}")

    return check


def _dated(pattern: str, parse: Callable[[str], object], what: str) -> Check:
    check_format = _formatted(pattern, what)

    def check(value: Any) -> None:
        check_format(value)
        try:
            parse(value)
        except ValueError:
            raise Violation(Reason.BAD_FORMAT, "is not in the calendar") from None

    return check


def converter(column: Column) -> Callable[[Any], Any]:
    """A function from a checked value to its Python type."""
    match column.type:
        case Decimal(_, scale):
            unit = Number(1).scaleb(-scale)
            return lambda value: Number(value).quantize(unit)
        case Instant():
            return _moment
        case Date():
            return date.fromisoformat
        case Uuid():
            return str.lower
        case _:
            return _as_is


def _as_is(value: Any) -> Any:
    return value


def _moment(value: str) -> datetime:
    """UTC, cut to milliseconds."""
    moment = datetime.fromisoformat(value).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
