"""In which data file a row lies, and which snapshot brought that file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import Table


@dataclass(frozen=True)
class Located:
    """A data file, how many of the wanted rows it has, and the snapshot that brought it.

    Of a snapshot that has expired only the number is known.
    """

    file: str
    rows: int
    snapshot_id: int
    committed_at: datetime | None
    operation: str


def located(table: Table, row_filter: str) -> Iterator[Located]:
    """Every file of the current snapshot with rows that ``row_filter`` keeps."""
    scan = table.scan(row_filter=row_filter)
    for task in scan.plan_files():
        rows = ArrowScan(table.metadata, table.io, scan.projection(), scan.row_filter).to_table([task]).num_rows
        if rows:
            yield _brought(table, task.file.file_path, rows)


def _brought(table: Table, file: str, rows: int) -> Located:
    """Manifests remember which snapshot added a file, be they rewritten."""
    current = table.current_snapshot()
    assert current is not None, "a table with rows has a snapshot"
    entries = (entry for manifest in current.manifests(table.io) for entry in manifest.fetch_manifest_entry(table.io))
    number = next(entry.snapshot_id for entry in entries if entry.data_file.file_path == file and entry.snapshot_id)
    snapshot = table.snapshot_by_id(number)
    if snapshot is None:
        return Located(file, rows, number, None, "")
    operation = snapshot.summary.operation.value if snapshot.summary else ""
    return Located(file, rows, number, datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC), operation)
