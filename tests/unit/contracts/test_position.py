"""Positions form a lattice: cut and merge are its meet and join, covers its order."""

import json

from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.position import NOTHING_HELD, Position, TopicPartition

keys = st.builds(TopicPartition, st.sampled_from(["orders", "users"]), st.integers(0, 2))
positions = st.builds(Position, st.dictionaries(keys, st.integers(NOTHING_HELD, 5)))
PARTITION = TopicPartition("orders", 0)


def same(left: Position, right: Position) -> bool:
    """Equal as what is held: a partition left out is a partition at −1."""
    return left.covers(right) and right.covers(left)


@given(positions, positions)
def test_cut_is_the_highest_position_both_cover(a: Position, b: Position) -> None:
    cut = a.cut(b)
    assert a.covers(cut)
    assert b.covers(cut)


@given(positions, positions, positions)
def test_whatever_both_cover_lies_within_the_cut(a: Position, b: Position, c: Position) -> None:
    if a.covers(c) and b.covers(c):
        assert a.cut(b).covers(c)


@given(positions, positions, positions)
def test_merge_is_the_lowest_position_that_covers_both(a: Position, b: Position, c: Position) -> None:
    merged = a.merge(b)
    assert merged.covers(a)
    assert merged.covers(b)
    if c.covers(a) and c.covers(b):
        assert c.covers(merged)


@given(positions, positions, positions)
def test_cut_and_merge_do_not_care_for_order_or_repetition(a: Position, b: Position, c: Position) -> None:
    assert same(a.cut(b), b.cut(a))
    assert same(a.merge(b), b.merge(a))
    assert same(a.cut(a), a)
    assert same(a.merge(a), a)
    assert same(a.cut(b).cut(c), a.cut(b.cut(c)))
    assert same(a.merge(b).merge(c), a.merge(b.merge(c)))


@given(positions, positions)
def test_cut_and_merge_absorb_each_other(a: Position, b: Position) -> None:
    assert same(a.cut(a.merge(b)), a)
    assert same(a.merge(a.cut(b)), a)


@given(positions, positions)
def test_behind_is_empty_exactly_where_a_position_covers_the_other(a: Position, b: Position) -> None:
    assert (not a.behind(b).offsets) == a.covers(b)


@given(positions)
def test_position_survives_json(position: Position) -> None:
    assert Position.from_json(json.loads(json.dumps(position.as_json()))) == position


@given(positions)
def test_position_is_the_sum_of_its_topics(position: Position) -> None:
    parts = [position.of_topic(topic) for topic in ("orders", "users")]
    assert parts[0].merge(parts[1]) == position


def test_a_partition_left_out_is_held_up_to_nothing() -> None:
    assert Position()[PARTITION] == NOTHING_HELD
    assert Position().cut(Position({PARTITION: 7}))[PARTITION] == NOTHING_HELD


def test_highest_offset_of_repeated_rows_counts() -> None:
    assert Position.of([("orders", 0, 3), ("orders", 0, 9), ("orders", 0, 4)])[PARTITION] == 9
