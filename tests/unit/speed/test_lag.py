"""Lag in records is a difference of positions; in time it is how long ago the first unread record was first seen."""

from concord.contracts.position import Position
from concord.speed.lag import Lag, Waiting


def at(*offsets: int, topic: str = "t") -> Position:
    return Position.of((topic, partition, offset) for partition, offset in enumerate(offsets))


def test_nothing_waits_where_everything_is_stored() -> None:
    assert Waiting().look(100.0, at(9, 4), at(9, 4)) == {"t": Lag(0, 0.0)}


def test_a_wait_begins_with_the_look_that_first_saw_the_record() -> None:
    waiting = Waiting()
    waiting.look(100.0, at(9), at(9))
    waiting.look(110.0, at(19), at(9))
    assert waiting.look(120.0, at(29), at(9)) == {"t": Lag(20, 10.0)}


def test_a_wait_grows_shorter_as_the_store_catches_up() -> None:
    waiting = Waiting()
    for moment, end in ((100.0, 10), (110.0, 20), (120.0, 30)):
        waiting.look(moment, at(end), at(0))
    assert waiting.look(130.0, at(40), at(20)) == {"t": Lag(20, 10.0)}
    assert waiting.look(140.0, at(40), at(40)) == {"t": Lag(0, 0.0)}


def test_one_partition_that_stands_still_is_enough() -> None:
    waiting = Waiting()
    waiting.look(100.0, at(10, 10), at(10, 9))
    assert waiting.look(160.0, at(50, 10), at(50, 9)) == {"t": Lag(1, 60.0)}


def test_topics_wait_each_for_itself() -> None:
    waiting = Waiting()
    ends = at(5).merge(at(7, topic="u"))
    waiting.look(100.0, ends, at(5))
    assert waiting.look(110.0, ends, at(5)) == {"t": Lag(0, 0.0), "u": Lag(8, 10.0)}
