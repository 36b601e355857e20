"""Rows changed in place: files that hold some are replaced, and what only older snapshots needed is deleted."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.io.pyarrow import ArrowScan, write_file
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.table import Table, WriteTask
from pyiceberg.table.snapshots import ancestors_of

from concord.contracts.names import HELD_POSITION
from concord.gateways.lake.files import referenced, remove

Change = Callable[[pa.Table], tuple[pa.Table, int]]
"""The rows as they are to be, and how many of them are other than they were."""


@dataclass(frozen=True)
class Replaced:
    """A data file, what takes its place, and how many rows differ."""

    old: DataFile
    new: tuple[DataFile, ...]
    rows: int


def replaced(table: Table, change: Change, row_filter: str | BooleanExpression, apply: bool) -> Iterator[Replaced]:
    """Every file of the current snapshot with rows that change, one in memory at a time; written if ``apply``."""
    for task in table.scan(row_filter=row_filter).plan_files():
        scan = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
        rows, count = change(scan.to_table([task]))
        if count:
            yield Replaced(task.file, _written(table, task.file, rows) if apply else (), count)


def _written(table: Table, old: DataFile, rows: pa.Table) -> tuple[DataFile, ...]:
    """In the same partition: no column that splits the table is among those that change."""
    task = WriteTask(uuid4(), 0, table.schema(), rows.to_batches(), partition_key=_partition(table, old))
    return tuple(write_file(table.io, table.metadata, iter([task])))


def _partition(table: Table, old: DataFile) -> PartitionKey | None:
    spec = table.specs()[old.spec_id]
    values = [PartitionFieldValue(field, old.partition[place]) for place, field in enumerate(spec.fields)]
    return PartitionKey(values, spec, table.schema()) if values else None


def replace(table: Table, files: list[Replaced]) -> None:
    """In one commit. A position that the table remembers to hold, it holds with the new files too."""
    remembered = _remembered(table)
    with table.transaction() as change, change.update_snapshot().overwrite() as overwrite:
        for each in files:
            overwrite.delete_data_file(each.old)
            for new in each.new:
                overwrite.append_data_file(new)
    # The commit lists what it has deleted, smallest and largest values among it; the next one does so no more.
    with table.transaction() as change, change.update_snapshot().fast_append():
        pass
    if remembered is not None:
        _remember(table, remembered)


def forget_history(table: Table) -> tuple[int, int]:
    """Expire every snapshot but the current one and delete what only they needed; how many snapshots and files."""
    needed = referenced(table)
    older = [each.snapshot_id for each in table.snapshots() if each.snapshot_id != table.metadata.current_snapshot_id]
    if older:
        table.maintenance.expire_snapshots().by_ids(older).commit()
    gone = needed - referenced(table.refresh())
    remove(table, sorted(gone))
    return len(older), len(gone)


def _remembered(table: Table) -> dict[str, object] | None:
    """The position that the table says it holds, if the snapshot it says so of is in the line of the current one."""
    text = table.properties.get(HELD_POSITION)
    if text is None:
        return None
    document: dict[str, object] = json.loads(text)
    line = {snapshot.snapshot_id for snapshot in ancestors_of(table.current_snapshot(), table.metadata)}
    return document if document["snapshot"] in line else None


def _remember(table: Table, document: dict[str, object]) -> None:
    now = json.dumps({**document, "snapshot": table.metadata.current_snapshot_id})
    with table.transaction() as change:
        change.set_properties({HELD_POSITION: now})
