"""What a full disk means for whoever called: which one it is, how much is free, what to do."""

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

from concord.errors import ConcordError, Misconfigured
from concord.platform.home import free_bytes
from concord.settings import load_settings

MIB = 1 << 20
NEARLY_FULL = 64 * MIB
"""Below this, engines and libraries fail in words of their own that seldom name the disk."""

ADVICE = "free some space there (or raise its quota), or set CONCORD_HOME and CONCORD_CACHE to a larger disk"


def in_words(error: Exception) -> ConcordError | None:
    """A failure of the disk as one of ours, or None if ``error`` is something else."""
    if _says_full(error):
        return Misconfigured(f"no disk space left: {_where(error)}", ADVICE)
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and error.filename:
        return Misconfigured(
            f"{error.filename}: {error.strerror}", "set CONCORD_HOME and CONCORD_CACHE to folders of yours"
        )
    return None


def nearly_full() -> str:
    """A line about the disk that has next to no room left; empty if all have some."""
    folder = _fullest()
    return f"{_free(folder)}: {ADVICE}" if free_bytes(folder) < NEARLY_FULL else ""


def _says_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sqlite3.Error):
        return _primary(error) == sqlite3.SQLITE_FULL or (
            _primary(error) == sqlite3.SQLITE_IOERR and bool(nearly_full())
        )
    return os.strerror(errno.ENOSPC) in str(error)  # a library that passes on no number


def _primary(error: sqlite3.Error) -> int:
    """SQLite's kind of error, without the operation it came from."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _named(error: Exception) -> Path | None:
    name = getattr(error, "filename", None)
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None


def _where(error: Exception) -> str:
    named, fullest = _named(error), _fullest()
    if named or free_bytes(fullest) < NEARLY_FULL:
        return _free(named or fullest)
    return f"where the output goes, or by a quota or a lack of inodes ({_free(fullest)})"


def _free(folder: Path) -> str:
    return f"{free_bytes(folder) // MIB} MiB free at {folder}"


def _fullest() -> Path:
    """Of the folders that every command may write to."""
    settings = load_settings()
    return min(settings.home, settings.cache, Path(tempfile.gettempdir()), key=free_bytes)
