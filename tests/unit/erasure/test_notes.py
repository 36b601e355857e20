"""What an erasure looked for, and files that name the person."""

from pathlib import Path

from concord.erasure import files
from concord.erasure.notes import Notes
from concord.erasure.person import Person

ADA = Person(42, b"salt", frozenset({"ada@x.org"}), frozenset({"device-1"}), frozenset({7}), frozenset({"ab" * 32}))


def test_notes_are_read_as_they_were_written_by_their_owner_alone(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "erasures", 42)
    assert not notes.are_kept
    notes.write(ADA)
    assert notes.read() == ADA
    assert notes.path.stat().st_mode & 0o077 == 0
    notes.delete()
    assert not notes.are_kept
    assert notes.read().salt != ADA.salt


def test_files_keep_their_length_and_lose_the_person(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_bytes(b"refused ADA@x.org on device-1\nok\n")
    (tmp_path / "other.log").write_bytes(b"ok\n")
    assert [each.count for each in files.erase([tmp_path], ADA, apply=False)] == [1]
    list(files.erase([tmp_path], ADA, apply=True))
    assert log.read_bytes() == b"refused xxxxxxxxx on device-1\nok\n"
    assert [each.hits for each in files.scan([tmp_path], ADA)] == [0]


def test_a_text_across_two_pieces_is_found(tmp_path: Path) -> None:
    (tmp_path / "large.log").write_bytes(b"-" * (files.CHUNK - 4) + b"ada@x.org")
    assert [each.hits for each in files.scan([tmp_path], ADA)] == [1]
