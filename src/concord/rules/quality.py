"""What becomes of a record of the events topic: an event, or a dead letter with a reason.

Both layers ask this module, so both give the same verdict. It reads the contracts themselves, to name what is
wrong and where; that nothing is, the published JSON Schema has the last word on, read by a library's validator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jsonschema_rs

from concord.contracts.events import (
    EARLIEST_EVENT_YEAR,
    EVENT_TYPES,
    EVENTS,
    IDENTITY,
    MAX_CLOCK_AHEAD_SECONDS,
    REQUIRES_USER,
    EventType,
    schema_path,
)
from concord.contracts.model import Column
from concord.contracts.tables import POSITION_COLUMNS
from concord.contracts.types import Instant, Json
from concord.rules.documents import parse_object
from concord.rules.values import converter, value_check
from concord.rules.violations import Reason, Violation
from concord.settings import PROJECT

__all__ = ["EARLIEST_EVENT", "Accepted", "Reason", "Rejected", "Verdict", "judge", "latest_event"]

EARLIEST_EVENT = datetime(EARLIEST_EVENT_YEAR, 1, 1, tzinfo=UTC)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A valid event. ``document`` is the parsed JSON object, ``texts`` its JSON columns as they came."""

    document: Document
    texts: Mapping[str, str]

    def row(self) -> dict[str, Any]:
        """Every declared column of ``events`` but the position, typed; null where the event has none.

        Instants are UTC cut to milliseconds, decimals have the column's scale, JSON columns are text.
        """
        return {name: self._typed(name, convert) for name, convert in _CONVERTERS.items()}

    def _typed(self, name: str, convert: Callable[[Any], Any]) -> Any:
        value = self.document.get(name)
        if value is None:
            return None
        return self.texts.get(name) or convert(value)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A dead letter. ``pointer`` is the JSON pointer to the field at fault, empty for the whole record."""

    reason: Reason
    pointer: str
    detail: str


Verdict = Accepted | Rejected


def judge(record: bytes | None, received_at: datetime) -> Verdict:
    """The verdict on one record's bytes that Kafka received at ``received_at`` (aware).

    Of several faults the first is named: the record as a whole, then the fields in the contract's
    order, unknown fields, identity, time, and whatever else the published schema may refuse.
    """
    try:
        document, texts = parse_object(record)
        event_type = _event_type(document)
        _check_fields(document, event_type)
        _check_identity(document)
        _check_times(document, received_at)
        _check_schema(document, event_type)
    except Violation as violation:
        return Rejected(violation.reason, violation.pointer, violation.detail)
    return Accepted(document, {name: texts[name] for name in _JSON_COLUMNS if document.get(name) is not None})


def latest_event(received_at: datetime) -> datetime:
    """The latest moment at which an event received then may claim to have happened."""
    return received_at + timedelta(seconds=MAX_CLOCK_AHEAD_SECONDS)


def _event_type(document: Document) -> EventType:
    _check_field(document, "event_type", nullable=False, check=_check_text)
    try:
        return EventType(document["event_type"])
    except ValueError:
        raise Violation(Reason.UNKNOWN_EVENT_TYPE, "is none of the nine event types", "event_type") from None


def _check_text(value: Any) -> None:
    if not isinstance(value, str):
        raise Violation(Reason.WRONG_TYPE, "is not a string")


def _check_fields(document: Document, event_type: EventType) -> None:
    checks = _CHECKS[event_type]
    for name, (nullable, check) in checks.items():
        _check_field(document, name, nullable, check)
    unknown = document.keys() - checks.keys()
    if unknown:
        raise Violation(Reason.UNKNOWN_FIELD, f"is no field of {event_type}", min(unknown))


def _check_field(document: Document, name: str, nullable: bool, check: Callable[[Any], None]) -> None:
    value = document.get(name)
    if value is None and not nullable:
        raise Violation(Reason.MISSING_FIELD, "is null" if name in document else "is missing", name)
    if value is None:
        return
    try:
        check(value)
    except Violation as violation:
        raise violation.at(name) from None


def _check_identity(document: Document) -> None:
    if all(document.get(name) is None for name in IDENTITY):
        raise Violation(Reason.NO_IDENTITY, f"has none of {', '.join(IDENTITY)}")


def _check_times(document: Document, received_at: datetime) -> None:
    latest = latest_event(received_at)
    for name in _INSTANT_COLUMNS:
        text = document.get(name)
        if text is None:
            continue
        moment = datetime.fromisoformat(text)
        if moment < EARLIEST_EVENT:
            raise Violation(Reason.IMPOSSIBLE_TIME, f"lies before the year {EARLIEST_EVENT_YEAR}", name)
        if moment > latest:
            raise Violation(Reason.IMPOSSIBLE_TIME, f"lies over {MAX_CLOCK_AHEAD_SECONDS} s after receipt", name)


def _check_schema(document: Document, event_type: EventType) -> None:
    """Our checks refuse all that the schema does; where they ever should not, the schema decides."""
    fault = next(_schema(event_type).iter_errors(document), None)
    if fault is not None:
        field = next((str(step) for step in fault.instance_path), None)
        raise Violation(Reason.BAD_FORMAT, "is refused by the published schema", field)


@cache
def _schema(event_type: EventType) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator((PROJECT / schema_path(event_type)).read_text(encoding="utf-8"))


def _checks(event_type: EventType) -> dict[str, tuple[bool, Callable[[Any], None]]]:
    columns = EVENT_TYPES[event_type].columns
    return {column.name: (_may_be_null(column, event_type), value_check(column)) for column in columns}


def _may_be_null(column: Column, event_type: EventType) -> bool:
    return column.nullable and not (column.name == "user_id" and event_type in REQUIRES_USER)


_CHECKS = {event_type: _checks(event_type) for event_type in EventType}
_ROW_COLUMNS = [column for column in EVENTS.columns if column not in POSITION_COLUMNS]
_CONVERTERS = {column.name: converter(column) for column in _ROW_COLUMNS}
_JSON_COLUMNS = [column.name for column in _ROW_COLUMNS if isinstance(column.type, Json)]
_INSTANT_COLUMNS = [column.name for column in _ROW_COLUMNS if isinstance(column.type, Instant)]
