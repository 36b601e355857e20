"""Bound values as drivers send them, and as the engine takes them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

Values = tuple[Any, ...]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_OF_UTC = 1440
"""A zone is sent as minutes from UTC plus this many."""


def _instant(text: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(text) // 1000)


def _local(text: str) -> datetime:
    return _instant(text).replace(tzinfo=None)


def _zoned(text: str) -> datetime:
    nanoseconds, _, minutes = text.partition(" ")
    zone = timezone(timedelta(minutes=int(minutes) - _MINUTES_OF_UTC)) if minutes else UTC
    return _instant(nanoseconds).astimezone(zone)


def _day(text: str) -> date:
    return (EPOCH + timedelta(milliseconds=int(text))).date()


def _time_of_day(text: str) -> time:
    return _local(text).time()


def _number(text: str) -> int | Decimal:
    return int(text) if text.lstrip("+-").isdigit() else Decimal(text)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "FIXED": _number,
    "REAL": float,
    "BOOLEAN": lambda text: text.lower() in {"true", "1"},
    "BINARY": bytes.fromhex,
    "DATE": _day,
    "TIME": _time_of_day,
    "TIMESTAMP_NTZ": _local,
    "TIMESTAMP_LTZ": _instant,
    "TIMESTAMP_TZ": _zoned,
}


def value_of(kind: str, text: str | None) -> Any:
    """One bound value. Kinds that are not known stay text."""
    return None if text is None else _READERS.get(kind, str)(text)


def rows_of(bindings: Mapping[str, Mapping[str, Any]]) -> list[Values]:
    """The rows of positional bindings: one, or as many as an array binding holds."""
    columns = [_column(bindings[str(place)]) for place in range(1, len(bindings) + 1)]
    return list(zip(*columns, strict=True))


def _column(binding: Mapping[str, Any]) -> list[Any]:
    kind, value = binding["type"], binding.get("value")
    texts = value if isinstance(value, list) else [value]
    return [value_of(kind, text) for text in texts]
