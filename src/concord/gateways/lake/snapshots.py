"""What a table was: its snapshots, oldest first, as its metadata tells them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot as Entry
from pyiceberg.table.snapshots import ancestors_of


@dataclass(frozen=True)
class Snapshot:
    """One commit. ``is_in_line`` is false for what a rollback has left behind."""

    id: int
    committed_at: datetime
    operation: str
    added_rows: int
    deleted_rows: int
    rows: int
    files: int
    bytes: int
    is_current: bool
    is_in_line: bool


def snapshots_of(table: Table) -> list[Snapshot]:
    """Every snapshot that has not expired."""
    current = table.current_snapshot()
    line = {entry.snapshot_id for entry in ancestors_of(current, table.metadata)}
    return [
        _snapshot(entry, current, line) for entry in sorted(table.snapshots(), key=lambda entry: entry.timestamp_ms)
    ]


def _snapshot(entry: Entry, current: Entry | None, line: set[int]) -> Snapshot:
    return Snapshot(
        id=entry.snapshot_id,
        committed_at=datetime.fromtimestamp(entry.timestamp_ms / 1000, UTC),
        operation=entry.summary.operation.value if entry.summary else "",
        added_rows=_figure(entry, "added-records"),
        deleted_rows=_figure(entry, "deleted-records"),
        rows=_figure(entry, "total-records"),
        files=_figure(entry, "total-data-files"),
        bytes=_figure(entry, "total-files-size"),
        is_current=current is not None and entry.snapshot_id == current.snapshot_id,
        is_in_line=entry.snapshot_id in line,
    )


def _figure(entry: Entry, name: str) -> int:
    return int(entry.summary.get(name) or 0) if entry.summary else 0
