"""What a finished folder says of itself, so that the next look costs one ``stat`` per file and no hash.

A stamp is written last, into a folder that then appears by one rename: a folder with a stamp is whole.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

STAMP = ".installed.json"


@dataclass(frozen=True)
class Stamp:
    """``lock`` identifies what was asked for, ``sizes`` what was put there (bytes by path below the folder)."""

    lock: str
    sizes: Mapping[str, int]

    def missing(self, lock: str, sizes: Mapping[str, int]) -> list[str]:
        """What keeps a folder holding ``sizes`` from being the one that ``lock`` asks for; empty if it is."""
        if self.lock != lock:
            return ["the lock has changed"]
        return sorted(name for name, size in self.sizes.items() if sizes.get(name) != size)


def fingerprint(hashes: Mapping[str, str]) -> str:
    """One hash for a set of files: the same whenever names and contents are the same."""
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def write(folder: Path, lock: str) -> None:
    """Declare ``folder`` finished, with the files it holds now."""
    stamp = Stamp(lock, _sizes(folder, (path.relative_to(folder).as_posix() for path in _files(folder))))
    (folder / STAMP).write_text(json.dumps(asdict(stamp), indent=1))


def missing(folder: Path, lock: str) -> list[str]:
    """The files (or the reason) for which ``folder`` is not what ``lock`` asks for; empty if it is whole."""
    stamp = _read(folder)
    return ["everything"] if stamp is None else stamp.missing(lock, _sizes(folder, stamp.sizes))


def is_complete(folder: Path, lock: str) -> bool:
    return not missing(folder, lock)


def size(folder: Path) -> int:
    """Bytes of a finished folder; 0 for one that is not."""
    stamp = _read(folder)
    return sum(stamp.sizes.values()) if stamp else 0


def _read(folder: Path) -> Stamp | None:
    try:
        content = json.loads((folder / STAMP).read_text())
        return Stamp(content["lock"], content["sizes"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name != STAMP)


def _sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    return {name: (folder / name).stat().st_size for name in names if (folder / name).is_file()}
