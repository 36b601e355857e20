"""What the histories of users and products must hold: each change log replayed, record by record, in plain Python."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from concord.contracts.histories import tracked
from concord.contracts.model import Dataset
from concord.contracts.tables import TOAST_PLACEHOLDER

Row = dict[str, Any]
Values = tuple[Any, ...]


@dataclass
class Version:
    """What the row was, and when; without an end it still is."""

    values: Values
    valid_from: datetime
    valid_to: datetime | None = None
    is_deleted: bool = False

    def end(self, at: datetime, is_deleted: bool) -> None:
        self.valid_to, self.is_deleted = at, is_deleted

    @property
    def period(self) -> Values:
        return self.valid_from, self.valid_to, self.valid_to is None, self.is_deleted


def history_rows(history: Dataset, log: Iterable[Row]) -> Iterator[Values]:
    """The history's rows in the order of their keys, the stamp left out."""
    records: dict[int, list[Row]] = {}
    for record in log:
        records.setdefault(record["id"], []).append(record)
    for key in sorted(records):
        changes = sorted(records[key], key=lambda record: record["_offset"])
        for number, version in enumerate(versions(changes, tracked(history)), 1):
            yield key, number, *version.values, *version.period


def versions(changes: Sequence[Row], names: Sequence[str]) -> list[Version]:
    """Of one key, its changes in their order."""
    found: list[Version] = []
    known: Row = dict.fromkeys(names)
    is_there, times = False, []
    for change in changes:
        times.append(change["__source_ts_ms"] or change["_timestamp"])
        is_delete = change["__op"] == "d"
        if not is_delete:
            known |= {name: change[name] for name in names if change[name] != TOAST_PLACEHOLDER}
        values = tuple(known.values())
        if is_there and (is_delete or found[-1].values != values):
            found[-1].end(max(times), is_deleted=is_delete)
        if not is_delete and not (is_there and found[-1].values == values):
            found.append(Version(values, max(times)))
        is_there = not is_delete
    return found
