import errno

import pytest

from concord.errors import Misconfigured
from concord.platform.install import folders, stamps


def test_a_published_folder_replaces_the_former_one_whole(tmp_path):
    place, prepared = tmp_path / "jars", tmp_path / "prepared"
    place.mkdir()
    (place / "old.jar").write_text("old")
    prepared.mkdir()
    (prepared / "new.jar").write_text("new")
    folders.publish(prepared, place)
    assert [path.name for path in tmp_path.iterdir()] == ["jars"]
    assert [path.name for path in place.iterdir()] == ["new.jar"]


def test_a_stamped_folder_is_complete_until_a_file_is_cut(tmp_path):
    (tmp_path / "one.jar").write_text("content")
    stamps.write(tmp_path, "lock")
    assert stamps.is_complete(tmp_path, "lock")
    (tmp_path / "one.jar").write_text("cont")
    assert stamps.missing(tmp_path, "lock") == ["one.jar"]


def test_a_folder_without_a_readable_stamp_lacks_everything(tmp_path):
    assert stamps.missing(tmp_path, "lock") == ["everything"]
    (tmp_path / stamps.STAMP).write_text('{"lock": ')
    assert stamps.missing(tmp_path, "lock") == ["everything"]


def test_a_full_disk_is_named_and_not_a_traceback():
    full = pytest.raises(Misconfigured, match="no disk space left while installing spark jars")
    with full, folders.naming_a_full_disk("spark jars"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_other_disk_errors_stay_what_they_are():
    with pytest.raises(PermissionError), folders.naming_a_full_disk("spark jars"):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_too_little_room_is_refused_before_anything_is_fetched(tmp_path):
    with pytest.raises(Misconfigured, match=f"no disk space for it: .* free at {tmp_path}"):
        folders.require_room(tmp_path, 1 << 62, "it")


def test_a_second_setup_says_that_it_waits(tmp_path):
    """The lock belongs to an open file: a second opening, even in this process, has to wait."""
    said = []

    def waiting():
        said.append("waiting")
        raise InterruptedError

    with folders.one_at_a_time(tmp_path, waiting):
        second = folders.one_at_a_time(tmp_path, waiting)
        with pytest.raises(InterruptedError):
            second.__enter__()
    assert said == ["waiting"]


def test_a_cache_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=f"folder {tmp_path}/file/cache cannot be made"):
        folders.open_to_all(tmp_path / "file" / "cache")
