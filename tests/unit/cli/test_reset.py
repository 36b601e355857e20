"""``concord reset`` deletes what Concord made, after asking, and nothing else."""

import fcntl
import io
import re
import sys
from pathlib import Path

import pytest

from concord.errors import ExitCode
from concord.platform.catalogue import APPLICATIONS, STORES
from concord.platform.home import LOCK, RUNS
from concord.settings import PROJECT

FOLDERS = (*STORES, *APPLICATIONS, *RUNS, "secrets")


@pytest.fixture
def used(home: Path) -> Path:
    """A home in which engines have run, with a file that somebody else put there."""
    for name in FOLDERS:
        (home / name).mkdir(parents=True)
        (home / name / "content").write_text(name)
    (home / "secrets" / "postgres_superuser").write_text("secret")
    (home / "notes.txt").write_text("mine")
    return home


def held(home: Path) -> set[str]:
    return {entry.name for entry in home.iterdir()}


def test_without_a_home_there_is_nothing_to_delete(concord, home):
    assert concord("reset").out == f"nothing to delete in {home}\n"


def test_a_no_leaves_everything_as_it_is(concord, used, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    ended = concord("reset")
    assert ended.code != ExitCode.OK
    assert f"Stop the engines of {used} and delete all their data?" in ended.out
    assert held(used) == {*FOLDERS, "notes.txt"}


def test_nobody_there_to_be_asked_is_a_no(concord, used, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert concord("reset").code != ExitCode.OK
    assert held(used) == {*FOLDERS, "notes.txt"}


def test_a_yes_deletes_what_is_concords_and_nothing_else(concord, used, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert concord("reset").code == ExitCode.OK
    assert held(used) == {"notes.txt", LOCK}


def test_with_yes_nobody_is_asked_and_a_second_time_there_is_nothing(concord, used, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    (used / "notes.txt").unlink()
    assert concord("reset", "--yes").out == f"deleted the data in {used}\n"
    assert concord("reset", "--yes").out == f"nothing to delete in {used}\n"


def test_a_folder_that_is_not_concords_home_is_refused(concord, used):
    (used / "secrets" / "postgres_superuser").unlink()
    ended = concord("reset", "--yes")
    assert ended.code == ExitCode.MISCONFIGURED
    assert f"{used} is not a home of Concord's" in ended.err
    assert held(used) == {*FOLDERS, "notes.txt"}


def test_what_a_link_leads_to_is_never_deleted(concord, used, tmp_path):
    (used / "kafka").rename(tmp_path / "larger-disk")
    (used / "kafka").symlink_to(tmp_path / "larger-disk")
    ended = concord("reset", "--yes")
    assert ended.code == ExitCode.MISCONFIGURED
    assert f"{used / 'kafka'} is a link to {tmp_path / 'larger-disk'}" in ended.err
    assert held(used) == {*FOLDERS, "notes.txt"}
    assert (tmp_path / "larger-disk" / "content").exists()


def test_while_another_command_starts_engines_nothing_is_deleted(concord, used):
    with (used / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = concord("reset", "--yes")
    assert ended.code == ExitCode.MISCONFIGURED
    assert "another concord up, down or reset works on" in ended.err
    assert held(used) == {*FOLDERS, "notes.txt", LOCK}


def test_every_folder_that_a_command_keeps_at_home_is_deleted():
    sources = (path.read_text() for path in (PROJECT / "src").rglob("*.py"))
    kept = {name for source in sources for name in re.findall(r'settings\.home / "([\w-]+)"', source)}
    assert {"batch", "ledger", "reconcile"} <= kept
    assert kept - set(FOLDERS) - {"lock"} == set()
