"""Files that Concord writes itself: logs, reports of differences, dbt's compiled models, checkpoints."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from concord.erasure.outcome import Done, Found
from concord.erasure.person import Person

CHUNK = 1 << 20


def erase(folders: Sequence[Path], person: Person, apply: bool) -> Iterator[Done]:
    """The person's texts become as many x: whoever has a file open goes on as if nothing had happened."""
    for folder in folders:
        found = [path for path in _files(folder) if _names(path, person)]
        for path in found if apply else ():
            _mask(path, person)
        yield Done(f"files in {folder.name}", "files masked", len(found))


def scan(folders: Sequence[Path], person: Person) -> Iterator[Found]:
    """How many files of each folder hold a text of the person's."""
    for done in erase(folders, person, apply=False):
        yield Found(done.place, done.count)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _mask(path: Path, person: Person) -> None:
    assert person.text_pattern is not None
    with path.open("r+b") as file:
        for match in list(person.text_pattern.finditer(file.read())):
            file.seek(match.start())
            file.write(b"x" * len(match[0]))


def _names(path: Path, person: Person) -> bool:
    """Read piece by piece; a text may lie across the edge of two."""
    if person.text_pattern is None:
        return False
    overlap = max(len(text.encode()) for text in person.words)
    before = b""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            if person.text_pattern.search(before + piece):
                return True
            before = piece[-overlap:]
    return False
