"""Where a query stands, from Spark's files, and which of them may not be lost or cut short."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from concord.contracts.position import TopicPartition
from concord.errors import Misconfigured
from concord.speed.checkpoints.folder import LocalFolder
from concord.speed.checkpoints.standing import planned_at, standing

QUERY = "speed.events"


def offsets(end: int) -> str:
    return f'v1\n{{"batchWatermarkMs":0,"batchTimestampMs":1,"conf":{{}}}}\n{{"topic":{{"0":{end},"1":{end + 1}}}}}'


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Micro-batches 3 and 4 are kept, 4 was not committed."""
    folder = tmp_path / QUERY
    for log in ("offsets", "commits"):
        (folder / log).mkdir(parents=True)
    (folder / "metadata").write_text('{"id":"3f1c"}')
    for number in (3, 4):
        (folder / "offsets" / str(number)).write_text(offsets(number * 10))
        (folder / "offsets" / f".{number}.crc").write_bytes(b"sum")
    (folder / "commits" / "3").write_text('v1\n{"nextBatchWatermarkMs":0}')
    return folder


def test_a_query_stands_where_its_last_commit_ended(kept: Path) -> None:
    found = standing(LocalFolder(kept.parent), QUERY)

    assert found is not None
    assert (found.planned, found.committed) == (4, 3)
    assert found.next_offsets == {TopicPartition("topic", 0): 30, TopicPartition("topic", 1): 31}


def test_a_micro_batch_was_planned_when_spark_says_at_every_attempt(kept: Path) -> None:
    assert planned_at(LocalFolder(kept.parent), QUERY, 4) == datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)


def test_nothing_at_all_is_no_checkpoint(tmp_path: Path) -> None:
    assert standing(LocalFolder(tmp_path), QUERY) is None


def test_a_checkpoint_may_have_planned_nothing_yet(kept: Path) -> None:
    for log in ("offsets", "commits"):
        for file in (kept / log).iterdir():
            file.unlink()

    found = standing(LocalFolder(kept.parent), QUERY)

    assert found is not None
    assert (found.planned, found.committed, found.next_offsets) == (-1, -1, {})


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "the last offsets are empty": (lambda kept: (kept / "offsets/4").write_text(""), "offsets/4 is empty or cut short"),
    "the last offsets are cut": (
        lambda kept: (kept / "offsets/4").write_text(offsets(40)[:-9]),
        "offsets/4 is empty or cut short",
    ),
    "the last offsets lack a line": (
        lambda kept: (kept / "offsets/4").write_text("v1\n{}"),
        "offsets/4 is empty or cut short",
    ),
    "the committed offsets are gone": (lambda kept: (kept / "offsets/3").unlink(), "offsets/3 is missing"),
    "the last commit is empty": (lambda kept: (kept / "commits/3").write_text(""), "commits/3 is empty or cut short"),
    "offsets are of another version": (
        lambda kept: (kept / "offsets/4").write_text(offsets(40).replace("v1", "v9")),
        "offsets/4 is of version 'v9', only v1 is known",
    ),
    "commits are gone": (lambda kept: (kept / "commits/3").unlink(), "offsets end with micro-batch 4, commits with -1"),
    "offsets are gone": (
        lambda kept: [(kept / "offsets" / name).unlink() for name in "34"],
        "offsets end with micro-batch -1, commits with 3",
    ),
    "metadata is gone": (lambda kept: (kept / "metadata").unlink(), "metadata is missing"),
    "metadata is empty": (lambda kept: (kept / "metadata").write_text(""), "metadata is empty or cut short"),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_checkpoint_is_refused_by_the_name_of_the_file(
    kept: Path, damage: Callable[[Path], object], told: str
) -> None:
    damage(kept)

    with pytest.raises(Misconfigured) as refusal:
        standing(LocalFolder(kept.parent), QUERY)

    assert told in refusal.value.message
    assert kept.as_uri() in refusal.value.message
    assert "concord replay" in refusal.value.hint
