"""A folder of this machine."""

from pathlib import Path

import pytest

from concord.errors import Misconfigured
from concord.speed.checkpoints.folder import LocalFolder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "new")

    folder.write("query/file", b"content")

    assert folder.read("query/file") == b"content"
    assert folder.names("query") == ["file"]
    assert folder.address == (tmp_path / "new").as_uri()


def test_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    assert LocalFolder(tmp_path).read("query/file") is None
    assert LocalFolder(tmp_path).names("query") == []


def test_what_cannot_be_written_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "query").write_text("in the way")

    with pytest.raises(Misconfigured, match="query/file cannot be written: "):
        LocalFolder(tmp_path).write("query/file", b"content")


def test_what_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()

    with pytest.raises(Misconfigured, match="file cannot be read: Is a directory"):
        LocalFolder(tmp_path).read("file")
