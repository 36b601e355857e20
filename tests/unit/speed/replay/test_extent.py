"""How far the lake carries a query, and what neither it nor Kafka has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.position import Position, TopicPartition
from concord.errors import Misconfigured
from concord.speed.replay.extent import extent

ZERO, ONE = TopicPartition("events", 0), TopicPartition("events", 1)


def test_kafka_goes_on_behind_what_the_lake_holds() -> None:
    found = extent(Position({ZERO: 41}), {ZERO: (10, 60), ONE: (0, 3)})

    assert found.upto == Position({ZERO: 41})
    assert found.next_offsets == {ZERO: 42, ONE: 0}


def test_offsets_that_neither_has_are_named() -> None:
    with pytest.raises(Misconfigured, match="neither the lake nor Kafka has offsets 42 to 49 of events-0"):
        extent(Position({ZERO: 41}), {ZERO: (50, 60)})


def test_a_gap_that_is_accepted_is_left_out() -> None:
    assert extent(Position({ZERO: 41}), {ZERO: (50, 60)}, accepts_gaps=True).next_offsets == {ZERO: 50}


def test_a_topic_that_ends_before_the_lake_was_created_again() -> None:
    with pytest.raises(Misconfigured, match="events-0 ends before offset 12, the lake holds it up to 41"):
        extent(Position({ZERO: 41}), {ZERO: (0, 12)}, accepts_gaps=True)


@given(held=st.integers(-1, 50), first=st.integers(0, 50), more=st.integers(0, 50))
def test_every_offset_comes_from_one_of_the_two(held: int, first: int, more: int) -> None:
    end = max(first, held + 1) + more
    try:
        found = extent(Position({ZERO: held} if held >= 0 else {}), {ZERO: (first, end)})
    except Misconfigured:
        assert held + 1 < first
        return
    assert found.next_offsets[ZERO] == held + 1 >= first
