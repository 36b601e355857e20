"""A table's files: how many, how large, which are referenced, and which lie there for nothing."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pyarrow.fs import FileSelector, FileSystem, FileType
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table


@dataclass(frozen=True)
class Figures:
    """What a reader has to do with: data files of the current snapshot, and the metadata in front of them."""

    files: int
    bytes: int
    manifests: int
    snapshots: int
    planning_seconds: float

    @property
    def mean_bytes(self) -> int:
        return self.bytes // self.files if self.files else 0


@dataclass(frozen=True)
class Stored:
    """An object below a table's location."""

    path: str
    bytes: int
    modified_at: datetime


def figures_of(table: Table) -> Figures:
    """Counted by planning a read of everything, which is timed."""
    started = time.perf_counter()
    sizes = [task.file.file_size_in_bytes for task in table.scan().plan_files()]
    seconds = time.perf_counter() - started
    current = table.current_snapshot()
    manifests = len(current.manifests(table.io)) if current else 0
    return Figures(len(sizes), sum(sizes), manifests, len(table.snapshots()), round(seconds, 3))


def repeated_files(table: Table) -> list[str]:
    """Data files that the current snapshot registers more than once."""
    counted = Counter(task.file.file_path for task in table.scan().plan_files())
    return sorted(path for path, times in counted.items() if times > 1)


def referenced(table: Table) -> set[str]:
    """Every file that any snapshot needs, and the table's own metadata."""
    return {_key(path) for path in _referenced(table)}


def _referenced(table: Table) -> Iterator[str]:
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    yield from (statistics.statistics_path for statistics in table.metadata.statistics)
    seen: set[str] = set()
    for snapshot in table.snapshots():
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path
                yield from (entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, False))


def stored(table: Table) -> list[Stored]:
    """Every object below the table's location."""
    store, root = _location(table)
    found = store.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
    return [
        Stored(info.path, info.size or 0, info.mtime) for info in found if info.type is FileType.File and info.mtime
    ]


def orphans(table: Table, before: datetime) -> list[Stored]:
    """Objects older than ``before`` that nothing refers to.

    Listed before the references are read: what a writer commits meanwhile is then known as referenced.
    """
    there = stored(table)
    needed = referenced(table.refresh())
    return [one for one in there if one.path not in needed and one.modified_at < before]


def delete(table: Table, files: list[Stored]) -> None:
    """Remove the objects. The caller has made sure that nothing needs them."""
    store, _ = _location(table)
    for one in files:
        store.delete_file(one.path)


def remove(table: Table, paths: list[str]) -> None:
    """Delete objects by their paths; one that is gone already is gone."""
    store, _ = _location(table)
    for path in paths:
        if store.get_file_info(path).type is FileType.File:
            store.delete_file(path)


def _location(table: Table) -> tuple[FileSystem, str]:
    scheme, netloc, path = PyArrowFileIO.parse_location(table.location())
    assert isinstance(table.io, PyArrowFileIO)
    return table.io.fs_by_scheme(scheme, netloc), path


def _key(location: str) -> str:
    """The path by which the object store lists what metadata names with a scheme."""
    return PyArrowFileIO.parse_location(location)[2]
