"""How much room the home folder has, and that what is in it is whole."""

import errno
import secrets

import pytest

from concord.errors import Misconfigured
from concord.platform import home, secret_files
from concord.platform.home import GIBIBYTE
from concord.settings import load_settings


def test_enough_room_is_well(tmp_path):
    home.require_room(tmp_path, free=lambda _: 2 * GIBIBYTE)


def test_too_little_room_is_told_with_folder_and_need(tmp_path):
    with pytest.raises(Misconfigured) as refusal:
        home.require_room(tmp_path, free=lambda _: 2 * GIBIBYTE - 1)
    assert refusal.value.message.endswith(f"GiB free at {tmp_path}, 2 GiB are needed, 6 GiB advised")
    assert "CONCORD_HOME" in refusal.value.hint


def test_the_room_of_a_folder_that_is_not_there_yet_is_that_of_its_disk(tmp_path):
    asked_for = tmp_path / "not" / "there" / "yet"
    assert home.free_bytes(asked_for) > 0
    assert not (tmp_path / "not").exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=f"home folder {tmp_path}/file/home cannot be made"):
        home.make(tmp_path / "file" / "home")


def test_a_secret_that_a_full_disk_cut_short_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("CONCORD_HOME", str(tmp_path))
    settings = load_settings()

    def no_room(_: int) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(secrets, "token_hex", no_room)
        with pytest.raises(OSError, match="No space left"):
            secret_files.create_missing(settings)
    secret_files.create_missing(settings)
    for name in secret_files.NAMES:
        assert len(settings.secret(name).get_secret_value()) == 48
        assert (settings.secrets / name).stat().st_mode & 0o777 == 0o600
