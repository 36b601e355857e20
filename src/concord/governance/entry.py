"""One row of the audit trail, and as one line of text."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from concord.contracts.audit import Action, Ending


@dataclass(frozen=True)
class Entry:
    """As the contract ``TRAIL`` has it, column by column."""

    entry_id: str
    begun_at: datetime
    action: Action
    what: str
    who: str
    identity: str | None = None
    store: str | None = None
    batch_id: str | None = None
    read_at: Mapping[str, Any] | None = None
    statement_sha256: str | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    rows_rejected: int | None = None
    seconds: Decimal = Decimal(0)
    ending: Ending = Ending.DONE
    error: str | None = None

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Entry":
        """From a row of the warehouse or a line of text."""
        return cls(**{name: _READ.get(name, _as_it_is)(value) for name, value in record.items()})

    def record(self) -> dict[str, Any]:
        """By column, in the types that the warehouse takes: UTC without a zone, documents as text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        read_at = None if self.read_at is None else json.dumps(self.read_at)
        begun_at = self.begun_at.astimezone(UTC).replace(tzinfo=None)
        return {
            **values,
            "begun_at": begun_at,
            "read_at": read_at,
            "action": str(self.action),
            "ending": str(self.ending),
        }

    def line(self) -> str:
        return json.dumps(self.record(), default=str)


def digest(statement: str) -> str:
    """The same for the same words, whatever the white space between them."""
    return hashlib.sha256(" ".join(statement.split()).encode()).hexdigest()


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(instant, datetime)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _document(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _as_it_is(value: Any) -> Any:
    return value


_READ: Mapping[str, Callable[[Any], Any]] = {
    "begun_at": _instant,
    "action": Action,
    "ending": Ending,
    "read_at": _document,
    "seconds": Decimal,
}
