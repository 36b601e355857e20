"""One regular expression per event type: documents that are valid in form beyond doubt.

It is narrower than the contract on purpose. What does not match is not bad but doubtful, and
:func:`concord.rules.quality.judge` decides. The dialect is Java's; quantifiers are possessive and the
repeated groups bounded, so that no document makes it backtrack or recurse deeply.
"""

import re

from concord.contracts.events import EVENT_TYPES, EventType
from concord.contracts.model import Column
from concord.contracts.types import (
    BigInt,
    Category,
    Decimal,
    Instant,
    Integer,
    Json,
    LogicalType,
    Text,
    Uuid,
)
from concord.contracts.wire import INSTANT_PATTERN, UUID_PATTERN, decimal_pattern

MAX_BYTES = 32 << 10
"""Longer documents are doubtful."""

MAX_ESCAPES = 32
MAX_MEMBERS = 64

_SPACE = r"[ \t\r\n]*+"
_PLAIN = r'[^"\\\x00-\x1f\ufffd]*+'
"""Bytes that are no UTF-8 reach a Java string as U+FFFD."""
_ESCAPE = r'\\(?:["\\/bfnrt]|u(?![dD])[0-9a-fA-F]{4})'
"""Not the halves of a surrogate pair."""
_STRING = f'"{_PLAIN}(?:{_ESCAPE}{_PLAIN}){{0,{MAX_ESCAPES}}}+"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]{1,14}+)?"
"""Digits that a double holds."""
_SCALAR = f"(?:{_STRING}|{_NUMBER}|true|false|null)"


def document_pattern(event_type: EventType) -> str:
    """Matches a JSON object of this type's fields only, each with a value of its type, in any order.

    It does not say that required fields are there, nor that none is there twice.
    """
    fields = "|".join(_field(column) for column in EVENT_TYPES[event_type].columns)
    return rf"\A{_object(f'(?:{fields})')}{_SPACE}\z"


def text_pattern(name: str) -> str:
    """Captures the text of a shallow object that is the value of field ``name``."""
    return f'"{re.escape(name)}"{_SPACE}:{_SPACE}({_SHALLOW_OBJECT})'


def _object(member: str) -> str:
    more = f"(?:{_SPACE},{_SPACE}{member}){{0,{MAX_MEMBERS}}}+"
    return rf"\{{{_SPACE}(?:{member}{more})?+{_SPACE}\}}"


def _list(item: str) -> str:
    more = f"(?:{_SPACE},{_SPACE}{item}){{0,{MAX_MEMBERS}}}+"
    return rf"\[{_SPACE}(?:{item}{more})?+{_SPACE}\]"


_PLAIN_VALUE = f"(?:{_SCALAR}|{_list(_SCALAR)})"
_INNER_OBJECT = _object(f"{_STRING}{_SPACE}:{_SPACE}{_PLAIN_VALUE}")
_SHALLOW_OBJECT = _object(f"{_STRING}{_SPACE}:{_SPACE}(?:{_PLAIN_VALUE}|{_INNER_OBJECT})")
"""Members are scalars, lists of scalars, or objects of these."""


def _field(column: Column) -> str:
    null = "|null" if column.nullable else ""
    return f'"{column.name}"{_SPACE}:{_SPACE}(?:{_value(column.type)}{null})'


def _value(logical: LogicalType) -> str:
    match logical:
        case BigInt():
            return "0|-?[1-9][0-9]{0,17}+"
        case Integer():
            return "0|-?[1-9][0-9]{0,8}+"
        case Decimal(precision, scale):
            return _quoted(decimal_pattern(precision, scale))
        case Uuid():
            return _quoted(UUID_PATTERN)
        case Instant():
            return _quoted(INSTANT_PATTERN)
        case Category(values) if values:
            return _quoted("|".join(re.escape(value) for value in values))
        case Text() | Category():
            return _STRING
        case Json():
            return _SHALLOW_OBJECT
    raise TypeError(f"no expression for {logical}")


def _quoted(pattern: str) -> str:
    return f'"(?:{pattern.removeprefix("^").removesuffix("$")})"'
