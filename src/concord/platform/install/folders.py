"""The cache folder: filled by one process at a time, each part beside its place and moved there whole."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from concord.errors import Misconfigured

ON_A_FULL_DISK = "free some space, or set CONCORD_CACHE to a folder on a larger disk; what is finished is kept"
_MEBIBYTE = 1 << 20


def open_to_all(folder: Path) -> Path:
    """``folder``, made if it is not there, that every user can enter: PostgreSQL does not run as root."""
    if not folder.is_dir():
        try:
            folder.mkdir(parents=True)
            folder.chmod(0o755)
        except OSError as error:
            advice = "set CONCORD_CACHE to a folder of yours"
            raise Misconfigured(f"folder {folder} cannot be made: {error.strerror}", advice) from None
    return folder


@contextmanager
def one_at_a_time(cache: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the cache's lock; ``waiting`` is called once if another process has it now."""
    with _opened(open_to_all(cache) / ".lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w")
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written: {error.strerror}", "set CONCORD_CACHE to a folder of yours"
        ) from None


def staging(cache: Path, part: str) -> Path:
    """Where ``part`` is prepared. It survives an interruption, so that what was fetched is not fetched again."""
    return open_to_all(cache / "staging" / part)


def publish(prepared: Path, place: Path) -> None:
    """Put ``prepared`` where it belongs, whole: what was there before goes, and is there until then."""
    open_to_all(place.parent)
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    prepared.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def link(source: Path, target: Path) -> None:
    """The same file under a second name, or a copy where the file system cannot."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def require_room(cache: Path, needed: int, for_what: str) -> None:
    """Raises :class:`Misconfigured` if the file system of ``cache`` has less than ``needed`` bytes free."""
    free = shutil.disk_usage(cache).free
    if free < needed:
        raise Misconfigured(
            f"no disk space for {for_what}: {free // _MEBIBYTE} MiB free at {cache}, {needed // _MEBIBYTE} MiB needed",
            ON_A_FULL_DISK,
        )


@contextmanager
def naming_a_full_disk(for_what: str) -> Iterator[None]:
    """A disk that fills while we write is a matter for a person, not a traceback."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise no_room(for_what) from None


def no_room(for_what: str) -> Misconfigured:
    return Misconfigured(f"no disk space left while installing {for_what}", ON_A_FULL_DISK)
