"""One driver at a time: never two on one checkpoint."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

from concord.errors import Misconfigured, Unavailable

GONE_SECONDS = 30


@contextmanager
def lease(folder: Path) -> Iterator["Lease"]:
    """Hold the right to run the speed layer on ``folder`` until the end of the block, or of the process.

    Raises :class:`Misconfigured` if another driver holds it. A dead driver's Java machine may live a
    moment longer and still write: its end is awaited, :class:`Unavailable` if it does not come.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lease").open("a+") as file:
        _lock(file)
        _await_end(_read(file).get("java"))
        yield Lease(file)


class Lease:
    """The open lease: it says who holds it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._write({"pid": os.getpid()})

    def name_java(self, pid: int) -> None:
        """Record the Java machine that writes on our behalf."""
        self._write({"pid": os.getpid(), "java": {"pid": pid, "started": psutil.Process(pid).create_time()}})

    def _write(self, holder: dict[str, Any]) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(holder, self._file)
        self._file.flush()


def _lock(file: IO[str]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = _read(file).get("pid", "unknown")
        raise Misconfigured(
            f"the speed layer runs already: process {holder} holds {file.name}",
            "one driver per checkpoint: stop it first, or use the one that runs (`concord status`)",
        ) from None


def _read(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    try:
        return dict(json.load(file))
    except ValueError:
        return {}


def _await_end(java: dict[str, Any] | None) -> None:
    if java is None:
        return
    try:
        process = psutil.Process(java["pid"])
        if process.create_time() == java["started"]:
            process.wait(timeout=GONE_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        raise Unavailable(
            f"the Java machine {java['pid']} of the last driver still runs after {GONE_SECONDS} s",
            f"kill {java['pid']}",
        ) from None
