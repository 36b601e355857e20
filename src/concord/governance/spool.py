"""Entries on their way to the trail: on this machine's disk until the warehouse has them.

A read of PostgreSQL must leave its row while the warehouse is down, and a read of anything must not
wait for it. Each entry is on the disk before :meth:`Spool.add` returns.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from concord.governance.entry import Entry

FILE = "undelivered.jsonl"


@dataclass(frozen=True)
class Spool:
    """One folder; any number of processes may add to it at once."""

    folder: Path

    def add(self, entries: Sequence[Entry]) -> None:
        """On the disk when this returns, all of them."""
        lines = "".join(f"{entry.line()}\n" for entry in entries)
        with self._alone("spool"), self._file.open("a+b") as file:
            file.write((b"" if _ends_a_line(file) else b"\n") + lines.encode())
            file.flush()
            os.fsync(file.fileno())

    def undelivered(self) -> list[Entry]:
        """Oldest first."""
        return _entries(self._read())

    def deliver(self, send: Callable[[list[Entry]], None]) -> int:
        """Hand what is here to ``send`` and forget it once that has returned; how many.

        Broken off between the two, the same entries are sent again: ``send`` knows them by their ids.
        """
        with self._alone("delivery"):
            text = self._read()
            entries = _entries(text)
            if entries:
                send(entries)
            with self._alone("spool"):
                self._replace(self._read()[len(text) :])
            return len(entries)

    @property
    def _file(self) -> Path:
        return self.folder / FILE

    def _read(self) -> bytes:
        return self._file.read_bytes() if self._file.exists() else b""

    def _replace(self, rest: bytes) -> None:
        part = self._file.with_suffix(".part")
        part.write_bytes(rest)
        part.replace(self._file)

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{what}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _ends_a_line(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _entries(text: bytes) -> list[Entry]:
    """A line that was cut off is no entry: whoever wrote it died before it went on to what it was about."""
    return [Entry.of_record(record) for line in text.splitlines() if (record := _record(line))]


def _record(line: bytes) -> dict[str, object] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
