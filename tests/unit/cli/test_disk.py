"""A disk without room is one clear line, whoever runs into it first."""

import errno
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from concord.cli import render
from concord.errors import ExitCode, Unavailable
from concord.platform.home import GIBIBYTE

MIB = 1 << 20


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """``free(n)``: every disk has n bytes left."""

    def leave(count: int) -> None:
        usage = shutil._ntuple_diskusage(total=64 * GIBIBYTE, used=64 * GIBIBYTE - count, free=count)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    return leave


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """``fails(error)``: ``concord render`` ends with it."""

    def let(error: Exception) -> None:
        def render_nothing() -> NoReturn:
            raise error

        monkeypatch.setattr(render, "render", render_nothing)

    return let


def full_database() -> sqlite3.Error:
    """What SQLite says when it cannot grow a file."""
    database = sqlite3.connect(":memory:")
    database.execute("pragma max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as refusal:
        database.execute("create table t (a)")
    return refusal.value


def test_up_starts_nothing_on_a_disk_with_too_little_room(concord, free, home):
    free(64 * MIB)
    ended = concord("up")
    assert ended.code == ExitCode.MISCONFIGURED
    assert f"0.1 GiB free at {home}, 2 GiB are needed" in ended.err
    assert "set CONCORD_HOME" in ended.err
    assert not home.exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("java.io.IOException: No space left on device"),
        full_database(),
    ],
    ids=["disk", "quota", "library", "sqlite"],
)
def test_a_full_disk_is_named_with_its_room_and_what_to_do(concord, free, fails, home, error):
    free(3 * MIB)
    fails(error)
    ended = concord("render")
    assert ended.code == ExitCode.MISCONFIGURED
    assert ended.err.splitlines() == [
        f"error: no disk space left: 3 MiB free at {home}",
        "free some space there (or raise its quota), or set CONCORD_HOME and CONCORD_CACHE to a larger disk",
    ]


def test_the_file_that_could_not_be_written_is_named(concord, free, fails):
    free(0)
    fails(OSError(errno.ENOSPC, "No space left on device", "/elsewhere/report.json"))
    assert "0 MiB free at /elsewhere/report.json" in concord("render").err


def test_a_file_that_may_not_be_written_is_named(concord, fails):
    fails(PermissionError(errno.EACCES, "Permission denied", "/elsewhere/report.json"))
    ended = concord("render")
    assert ended.code == ExitCode.MISCONFIGURED
    assert "/elsewhere/report.json: Permission denied" in ended.err


def test_an_engine_that_fails_on_a_full_disk_says_so(concord, free, fails, home):
    fails(Unavailable("dbt broke off", "see its log"))
    free(GIBIBYTE)
    assert concord("render").err == "error: dbt broke off\nsee its log\n"
    free(3 * MIB)
    ended = concord("render")
    assert ended.code == ExitCode.UNAVAILABLE
    assert ended.err.splitlines()[:2] == ["error: dbt broke off", "see its log"]
    assert f"3 MiB free at {home}" in ended.err


@pytest.mark.parametrize("error", [ValueError("a bug"), FileNotFoundError(errno.ENOENT, "No such file", "gone")])
def test_any_other_error_is_not_explained_away(concord, free, fails, error):
    free(GIBIBYTE)
    fails(error)
    with pytest.raises(type(error)):
        concord("render")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_that_does_not_fit_is_an_error_and_not_a_traceback(home):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "concord", "--show-completion", "bash"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == ExitCode.MISCONFIGURED
    assert done.stderr.startswith("error: no disk space left")
    assert "Traceback" not in done.stderr
