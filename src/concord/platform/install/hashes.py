"""Nothing is used that does not have the content the lock says it has."""

import hashlib
from pathlib import Path

from concord.errors import Misconfigured


def sha256_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def holds(path: Path, sha256: str) -> bool:
    """Whether ``path`` is there and has this content: a half-fetched file does not."""
    return path.is_file() and sha256_of(path) == sha256


def refuse_unless_equal(name: str, actual: str, locked: str) -> None:
    """Raises :class:`Misconfigured` naming the file whose content is not the locked one."""
    if actual != locked:
        raise Misconfigured(
            f"{name}: wrong content: its SHA-256 is {actual}, the lock says {locked}",
            "the mirror or proxy in between altered it, or the lock is wrong; nothing of it was installed",
        )
