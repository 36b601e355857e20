"""What a stored event says, as one number: computed from the document that is sent, and by ClickHouse from its row.

Both spell every field as text, in the contract's order, and take the first eight bytes of the MD5 of it all.
Identity, times and the number of the visitor change from round to round and are summed apart; so is what the speed
layer adds, which is known only where the publication is.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal as Amount
from hashlib import md5
from typing import Any

import orjson

from concord.contracts.behaviour import ENRICHMENT
from concord.contracts.events import EVENTS
from concord.contracts.model import Column
from concord.contracts.tables import POSITION_COLUMNS
from concord.contracts.types import Decimal, Instant, Json, Uuid

SEPARATOR = "\x1f"
FIELDS = tuple(
    column
    for column in EVENTS.columns
    if column not in POSITION_COLUMNS and not isinstance(column.type, Uuid | Instant)
)
MONEY = tuple(column.name for column in FIELDS if isinstance(column.type, Decimal))
HEAD_DIGITS = 12
"""An ``anonymous_id`` begins with the digits of run and round; what follows is the same in every round."""


def content(document: Mapping[str, Any]) -> int:
    """The number of an event's content, below 2**64."""
    return _number(FIELDS, document)


def added(values: Mapping[str, Any]) -> int:
    """The number of what the speed layer adds to an event: tier, category, price."""
    return _number(ENRICHMENT, values)


def _number(columns: Sequence[Column], values: Mapping[str, Any]) -> int:
    return first_eight(SEPARATOR.join(_text(column, values.get(column.name)) for column in columns).encode())


def first_eight(value: bytes) -> int:
    """The first eight bytes of the MD5, little end first."""
    return int.from_bytes(md5(value, usedforsecurity=False).digest()[:8], "little")


def cents(document: Mapping[str, Any]) -> int:
    """All the money of an event, added up."""
    return sum(_cents(document[name]) for name in MONEY if document.get(name) is not None)


def _text(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.name == "anonymous_id":
        return str(value)[HEAD_DIGITS:]
    match column.type:
        case Decimal():
            return str(_cents(value))
        case Json():
            return orjson.dumps(value).decode()
        case _:
            return str(value)


def _cents(value: Any) -> int:
    return int(Amount(str(value)) * 100)


NUMBER_SQL = "reinterpretAsUInt64(substring(MD5(concat({fields})), 1, 8))"


def content_sql() -> str:
    """ClickHouse's expression for :func:`content` over a row of ``events``."""
    return _number_sql(FIELDS)


def added_sql() -> str:
    """ClickHouse's expression for :func:`added`."""
    return _number_sql(ENRICHMENT)


def _number_sql(columns: Sequence[Column]) -> str:
    return NUMBER_SQL.format(fields=f", '{SEPARATOR}', ".join(map(_sql, columns)))


def cents_sql() -> str:
    """ClickHouse's expression for :func:`cents`."""
    return " + ".join(f"toInt64(ifNull({name}, 0) * 100)" for name in MONEY)


def _sql(column: Column) -> str:
    if column.name == "anonymous_id":
        return f"ifNull(substring(anonymous_id, {HEAD_DIGITS + 1}), '')"
    if isinstance(column.type, Decimal):
        return f"ifNull(toString(toInt64({column.name} * 100)), '')"
    return f"ifNull(toString({column.name}), '')"
