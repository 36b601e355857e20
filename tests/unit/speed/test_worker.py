"""What a worker does around a micro-batch's work."""

import sys
import zipimport
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pytest

from concord.speed.records import BATCH_AT
from concord.speed.tally import Done
from concord.speed.worker import _task

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = pa.RecordBatch.from_pydict({"_timestamp": pa.array([NOON, NOON], pa.timestamp("us", "UTC"))})


def test_every_record_has_the_moment_of_the_plan() -> None:
    seen: list[list[datetime]] = []

    def work(records: pa.Table) -> Done:
        seen.append(records[BATCH_AT].to_pylist())
        return Done()

    assert len(list(_task(work, NOON)([ROWS, ROWS]))) == 1
    assert seen == [[NOON] * 4]


def test_no_archive_is_searched_for_modules_before_the_next_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "library.zip"
    with ZipFile(archive, "w") as made:
        made.writestr("library_in_an_archive.py", "")
    monkeypatch.setattr(sys, "path", [*sys.path, str(archive)])
    monkeypatch.setattr(sys, "path_importer_cache", {**sys.path_importer_cache})
    sys.path_importer_cache[str(archive)] = zipimport.zipimporter(str(archive))

    list(_task(lambda records: Done(), NOON)([]))

    assert str(archive) not in {*sys.path, *sys.path_importer_cache}
    assert sys.path
