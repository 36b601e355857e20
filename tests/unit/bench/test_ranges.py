"""A run's records are those behind the offsets at which it began."""

import pytest

from concord.bench.ranges import Since
from concord.contracts.position import Position, TopicPartition


@pytest.fixture
def since() -> Since:
    return Since([10, 0, 5], topic="events")


def position(*last: int) -> Position:
    return Position({TopicPartition("events", number): offset for number, offset in enumerate(last)})


def test_records_of_the_run_are_counted_and_earlier_ones_are_not(since: Since) -> None:
    assert since.held(position(19, 3, 2)) == 10 + 4 + 0


@pytest.mark.parametrize(
    ("records", "ends"),
    [(6, [12, 2, 5]), (30, [20, 4, 5]), (0, [10, 0, 5])],
    ids=["a share of each", "no more than there is", "none"],
)
def test_the_first_records_are_an_equal_share_of_each_partition(since: Since, records: int, ends: list[int]) -> None:
    assert list(since.ends_within(position(19, 3, 2), records)) == ends
