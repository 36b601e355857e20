"""A stored report can be read, or is not there."""

import errno
from datetime import UTC, datetime
from pathlib import Path

import pytest

from concord.contracts.position import Position
from concord.errors import ContractViolation
from concord.reconcile import report as reports
from concord.reconcile.run import Report

REPORT = Report(
    "20261121T053002.481008Z", datetime(2026, 11, 21, tzinfo=UTC), Position(), "000001-a", None, (), (), None
)


def test_a_stored_report_is_read_again(tmp_path):
    assert reports.store(REPORT, tmp_path).parent == tmp_path
    assert reports.load(tmp_path, REPORT.run_id)["batch_id"] == REPORT.batch_id
    assert [path.name for path in tmp_path.iterdir()] == [f"{REPORT.run_id}.json"]


def test_a_report_that_a_full_disk_cut_short_is_no_report(tmp_path, monkeypatch):
    write = Path.write_text

    def cut_short(path: Path, text: str) -> None:
        write(path, text[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", cut_short)
    with pytest.raises(OSError, match="No space left"):
        reports.store(REPORT, tmp_path)
    assert list(tmp_path.glob("*.json")) == []
    with pytest.raises(ContractViolation, match="no such run"):
        reports.load(tmp_path, REPORT.run_id)
