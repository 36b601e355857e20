"""What must become of an event record, said by the published JSON Schemas and the rules they cannot say."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal as Number
from math import isinf
from typing import Any

from concord.contracts.events import EARLIEST_EVENT_YEAR, EVENTS, MAX_CLOCK_AHEAD_SECONDS
from concord.contracts.tables import POSITION_COLUMNS
from concord.contracts.types import Decimal, Instant, Json, LogicalType, Uuid
from concord.rules.documents import MAX_DEPTH, MAX_RECORD_BYTES
from tests.schema_oracle import schema_accepts

FIELDS = tuple(column for column in EVENTS.columns if column not in POSITION_COLUMNS)


class Members(dict[str, Any]):
    """A JSON object that remembers whether a name was there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.is_repetitive = len(self) < len(pairs)


def accepted(record: bytes | None, received_at: datetime) -> Members | None:
    """The document, or None where it must be refused."""
    document = _parsed(record)
    if document is None or not schema_accepts(document) or not _has_possible_times(document, received_at):
        return None
    return document


def row(document: Members) -> dict[str, Any]:
    """Typed values of every field; JSON is the parsed object, where a store keeps the text."""
    return {column.name: _typed(column.type, document.get(column.name)) for column in FIELDS}


def _parsed(record: bytes | None) -> Members | None:
    if record is None or len(record) > MAX_RECORD_BYTES:
        return None
    try:
        document = json.loads(
            record.decode(),
            object_pairs_hook=Members,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_integer,
        )
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    is_whole = isinstance(document, Members) and not document.is_repetitive
    return document if is_whole and _depth(document) <= MAX_DEPTH else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise ValueError("beyond the range of a double")
    return value


def _integer(digits: str) -> int:
    _finite(digits)
    return int(digits)


def _depth(node: Any) -> int:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
    return 0 if children is None else 1 + max(map(_depth, children), default=0)


def _has_possible_times(document: Members, received_at: datetime) -> bool:
    earliest = datetime(EARLIEST_EVENT_YEAR, 1, 1, tzinfo=UTC)
    latest = received_at + timedelta(seconds=MAX_CLOCK_AHEAD_SECONDS)
    try:
        times = [
            datetime.fromisoformat(document[name]) for name in ("occurred_at", "received_at") if document.get(name)
        ]
    except ValueError:
        return False
    return all(earliest <= moment <= latest for moment in times)


def _typed(logical: LogicalType, value: Any) -> Any:
    match logical:
        case _ if value is None:
            return None
        case Decimal():
            return Number(value)
        case Instant():
            moment = datetime.fromisoformat(value).astimezone(UTC)
            return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        case Uuid():
            return value.lower()
        case Json():
            return dict(value)
        case _:
            return value
