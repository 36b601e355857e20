"""What a worker does around a micro-batch's work."""

import sys
import zipimport
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pytest

from concord.speed.records import BATCH_AT
from concord.speed.tally import Done
from concord.speed.worker import _task

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = pa.RecordBatch.from_pydict({"_timestamp": pa.array([NOON, NOON], pa.timestamp("us", "UTC"))})


class Seen:
    """Keeps the moments of what it is given."""

    def __init__(self) -> None:
        self.parts: list[list[Any]] = []
        self.whole: list[list[Any]] = []
        self.begun: list[int] = []

    def begin(self, records: pa.Table) -> tuple[pa.Table, int]:
        self.parts.append(records[BATCH_AT].to_pylist())
        return records, len(self.parts)

    def finish(self, records: pa.Table, begun: Sequence[int]) -> Done:
        self.whole.append(records[BATCH_AT].to_pylist())
        self.begun.extend(begun)
        return Done()


def test_every_record_has_the_moment_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concord.speed.worker.PART_ROWS", 2)
    work = Seen()

    assert len(list(_task(work, NOON)([ROWS, ROWS]))) == 1

    assert work.parts == [[NOON] * 2] * 2
    assert work.whole == [[NOON] * 4]
    assert work.begun == [1, 2]


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [(20_000, 1 << 20, [6]), (3, 1 << 20, [4, 2]), (20_000, 20, [2, 2, 2]), (20_000, 1, [1] * 6)],
)
def test_what_spark_sends_is_looked_at_in_parts_of_bounded_rows_and_bytes(
    monkeypatch: pytest.MonkeyPatch, rows: int, size: int, expected: list[int]
) -> None:
    monkeypatch.setattr("concord.speed.worker.PART_ROWS", rows)
    monkeypatch.setattr("concord.speed.worker.PART_BYTES", size)
    work = Seen()

    list(_task(work, NOON)([ROWS, ROWS, ROWS]))

    assert [len(part) for part in work.parts] == expected
    assert sum(map(len, work.whole)) == 6


def test_nothing_is_done_without_records() -> None:
    work = Seen()

    assert list(_task(work, NOON)([ROWS.slice(0, 0)])) == []

    assert work.parts == work.whole == []


def test_no_archive_is_searched_for_modules_before_the_next_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "library.zip"
    with ZipFile(archive, "w") as made:
        made.writestr("library_in_an_archive.py", "")
    monkeypatch.setattr(sys, "path", [*sys.path, str(archive)])
    monkeypatch.setattr(sys, "path_importer_cache", {**sys.path_importer_cache})
    sys.path_importer_cache[str(archive)] = zipimport.zipimporter(str(archive))

    list(_task(Seen(), NOON)([]))

    assert str(archive) not in {*sys.path, *sys.path_importer_cache}
    assert sys.path
