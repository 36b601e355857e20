"""Where checkpoints lie: a folder of this machine, or a prefix of the object store."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from concord.errors import Misconfigured


class Folder(Protocol):
    """Files by path below one place. What cannot be read or written is a :class:`ConcordError` that names it."""

    @property
    def address(self) -> str:
        """For people and for Spark: a URI."""
        ...

    def read(self, path: str) -> bytes | None:
        """The file's content, None if there is none."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """The whole file or none of it, whatever was there."""
        ...

    def names(self, folder: str) -> list[str]:
        """What lies right below ``folder``; none if there is no such folder."""
        ...

    def remove(self, path: str) -> None:
        """The file, or the folder with all that is in it; nothing happens if there is neither."""
        ...


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine."""

    path: Path

    @property
    def address(self) -> str:
        return self.path.absolute().as_uri()

    def read(self, path: str) -> bytes | None:
        target = self.path / path
        with _in_words(target, "read"):
            return target.read_bytes() if target.exists() else None

    def write(self, path: str, content: bytes) -> None:
        target = self.path / path
        partial = target.with_name(f".{target.name}.part")
        with _in_words(target, "written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(target)

    def names(self, folder: str) -> list[str]:
        place = self.path / folder
        with _in_words(place, "read"):
            return sorted(entry.name for entry in place.iterdir()) if place.is_dir() else []

    def remove(self, path: str) -> None:
        target = self.path / path
        with _in_words(target, "removed"):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)


@contextmanager
def _in_words(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Misconfigured(
            f"{path.absolute().as_uri()} cannot be {verb}: {error.strerror}",
            "the checkpoint's folder is read at a start and written in every micro-batch: its rights, and the disk's room",
        ) from None
