"""Two expressions that cut a surely valid document into a line of its values, in one pass over its text.

They are narrower than the contract on purpose. What does not match is not bad but doubtful, and
:func:`concord.rules.quality.judge` decides. The dialect is Java's; quantifiers are possessive and repeated
groups bounded, so that no document makes it backtrack or recurse deeply.

Every member of a document has three groups: its value; an empty one, *given*, that is set if the value is not
null; an empty one, *seen*, that is set if the member is there at all. A reference back to an empty group holds
if the group is set, so the end of the expression can ask which members the document has.

Spark compares the whole expression with the last one it has compiled, for every record. So names of groups are a
letter or two, and a character stands for itself where Java lets it.
"""

import re
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from concord.contracts.events import EVENT_TYPES, EVENTS, IDENTITY, REQUIRES_USER, EventType
from concord.contracts.model import Column
from concord.contracts.tables import POSITION_COLUMNS
from concord.contracts.types import (
    BigInt,
    Category,
    Decimal,
    Instant,
    Integer,
    Json,
    Text,
    Uuid,
)
from concord.contracts.wire import INSTANT_PATTERN, UUID_PATTERN, decimal_pattern

MAX_BYTES = 32 << 10
"""Longer documents are doubtful."""
MOST_DIGITS = 18
"""That every signed integer of 64 bits holds."""
MAX_MEMBERS = 64
DELIMITER = "\x1f"
"""Between the values of a line. No JSON text holds it unescaped."""

FIELDS = tuple(column for column in EVENTS.columns if column not in POSITION_COLUMNS)
FIELD_NAMES = tuple(column.name for column in FIELDS)
INSTANTS = tuple(column for column in FIELDS if isinstance(column.type, Instant))
LINE_FIELDS = (*INSTANTS, *(column for column in FIELDS if column not in INSTANTS))
"""The values of a line in order; instants first, where native Spark finds them at once."""


def _required(event_type: EventType) -> Sequence[str]:
    return [column.name for column in EVENT_TYPES[event_type].columns if not column.nullable]


ALWAYS = tuple(name for name in FIELD_NAMES if all(name in _required(event_type) for event_type in EventType))
"""What every type requires."""

_SPACE = r"[ \t\r\n]*+"
_BLANK = r"[ \t]*+"
"""Inside of what is kept as text: a line must not break."""
_UNPLAIN = "".join(map(chr, range(0x20))) + r'"\\\ufffd'
"""One by one, because Java looks them up in a table. Bytes that are no UTF-8 reach a Java string as U+FFFD."""
_PLAIN = f"[^{_UNPLAIN}]"
_ESCAPE = r'\\["\\/]'
"""Those that stand for the character behind the backslash."""
_STRING = f'"{_PLAIN}*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]{1,14}+)?"
"""Digits that a double holds."""
_SCALAR = f"(?:{_STRING}|{_NUMBER}|true|false|null)"


def in_order() -> str:
    """Matches valid documents whose members stand in the order of the columns of ``events``, without spaces."""
    return _document("".join(f"(?:{_member(column)})?+" for column in FIELDS)).replace(_SPACE, "")


def in_any_order() -> str:
    """Matches valid documents whose members stand in any order, each at most once."""
    member = "|".join(_member(column) for column in FIELDS)
    again = "|".join(rf"{column.name}\"{_seen(column.name)}" for column in FIELDS)
    return _document(f'(?:(?:{member})(?!"(?:{again}))){{1,{len(FIELDS)}}}+')


def line_template() -> str:
    """The replacement, in Java's spelling, that makes a line of a match of either expression.

    A value that is null or missing leaves nothing, a text stands in its quotes.
    """
    groups = re.findall(r"\(\?<(\w+)>", in_order())
    return DELIMITER.join(f"${groups.index(_group(column.name)) + 1}" for column in LINE_FIELDS)


def _document(members: str) -> str:
    types = "|".join(_type_rule(event_type) for event_type in EventType)
    identity = "|".join(_given(name) for name in IDENTITY)
    return rf"\A{_SPACE}\{{{_SPACE}{members}\}}{_SPACE}\z{''.join(map(_given, ALWAYS))}(?:{identity})(?:{types})"


def _type_rule(event_type: EventType) -> str:
    """Holds if the document is of this type, has what the type requires and nothing that the type has not."""
    own = EVENT_TYPES[event_type].columns
    needs_user = ["user_id"] if event_type in REQUIRES_USER else []
    required = [_given(name) for name in (*_required(event_type), *needs_user) if name not in ALWAYS]
    foreign = [f"(?!{_seen(name)})" for name in EVENTS.names if _is_foreign(name, own)]
    return rf"\k<{_group(event_type)}>{''.join(required)}{''.join(foreign)}"


def _is_foreign(name: str, own: Sequence[Column]) -> bool:
    return name in {column.name for column in FIELDS} - {column.name for column in own}


def _given(name: str) -> str:
    return rf"\k<{_group(name)}1>"


def _seen(name: str) -> str:
    return rf"\k<{_group(name)}0>"


def _group(name: str) -> str:
    """A small letter for a member, a capital one for a type."""
    types = list(EventType)
    return ascii_uppercase[types.index(EventType(name))] if name in types else ascii_lowercase[FIELD_NAMES.index(name)]


def _member(column: Column) -> str:
    """The name, the value, and the comma before the next member or the end."""
    group = _group(column.name)
    null = "|null" if column.nullable else ""
    value = f"(?:{_value(column, f'?<{group}>')}(?<{group}1>){null})(?<{group}0>)"
    return rf'"{column.name}"{_SPACE}:{_SPACE}{value}{_SPACE}(?:,{_SPACE}(?=")|(?=\}}))'


def _value(column: Column, name: str) -> str:
    """The value with what a line keeps of it in the named group."""
    match column.type:
        case BigInt() | Integer():
            return f"({name}{_integer(column)})"
        case Decimal(precision, scale):
            return f'"({name}{_whole(decimal_pattern(precision, scale))})"'
        case Uuid():
            return f'"({name}{_whole(UUID_PATTERN)})"'
        case Instant():
            return f'"({name}{_whole(INSTANT_PATTERN)})"'
        case Category(values) if column.name == "event_type":
            return f'"({name}{"|".join(f"{value}(?<{_group(value)}>)" for value in values)})"'
        case Category(values) if values:
            return f'"({name}{"|".join(map(re.escape, values))})"'
        case Text() if column.pattern is None:
            longest = f"{{0,{column.max_length or MAX_BYTES}}}+"
            return f'({name}"(?:{_PLAIN}{longest}|(?:{_PLAIN}|{_ESCAPE}){longest})")'
        case Json():
            return f"({name}{_SHALLOW_OBJECT})"
    raise TypeError(f"no expression for {column}")


def _integer(column: Column) -> str:
    """From 0 or 1 on, of fewer digits than the maximum; or the one value that is allowed."""
    if column.minimum == column.maximum is not None:
        return str(column.minimum)
    if column.minimum not in (0, 1):
        raise TypeError(f"no expression for {column}")
    digits = MOST_DIGITS if column.maximum is None else len(str(column.maximum)) - 1
    zero = "0|" if column.minimum == 0 else ""
    return f"{zero}[1-9][0-9]{{0,{digits - 1}}}+"


def _whole(pattern: str) -> str:
    """Without the anchors, and without groups of its own."""
    return re.sub(r"\((?!\?)", "(?:", pattern.removeprefix("^").removesuffix("$"))


def _object(member: str) -> str:
    return rf"\{{{_BLANK}(?:{_several(member)})?+{_BLANK}\}}"


def _list(item: str) -> str:
    return rf"\[{_BLANK}(?:{_several(item)})?+{_BLANK}\]"


def _several(item: str) -> str:
    return f"{item}(?:{_BLANK},{_BLANK}{item}){{0,{MAX_MEMBERS}}}+"


_NAME = f"{_STRING}{_BLANK}:{_BLANK}"
_PLAIN_VALUE = f"(?:{_SCALAR}|{_list(_SCALAR)})"
_SHALLOW_OBJECT = _object(f"{_NAME}(?:{_PLAIN_VALUE}|{_object(f'{_NAME}{_PLAIN_VALUE}')})")
"""Members are scalars, lists of scalars, or objects of these."""
