"""How fast sinks are, from the commits of their tables."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from concord.bench.batch.sink import pace
from concord.gateways.lake.snapshots import Snapshot

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def commits(*rows_at: tuple[float, int]) -> list[Snapshot]:
    """Of one table: at which second how many rows came."""
    return list(_commits(rows_at))


def _commits(rows_at: tuple[tuple[float, int], ...]) -> Iterator[Snapshot]:
    total = 0
    for number, (second, rows) in enumerate(rows_at):
        total += rows
        at = BEGIN + timedelta(seconds=second)
        yield Snapshot(number, at, "append", rows, 0, total, number + 1, total * 40, False, True)


def test_what_came_before_every_table_had_a_commit_does_not_count() -> None:
    users, lines = commits((6, 100)), commits((5, 9_000), (10, 50_000), (15, 40_000))
    assert pace([users, lines]) == 90_000 / 9


def test_one_commit_each_says_nothing_of_the_pace() -> None:
    assert pace([commits((5, 10)), commits((4, 10))]) is None
    assert pace([[], []]) is None
