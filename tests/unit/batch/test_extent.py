from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from concord.batch.extent import Build, Extent, State, extent, is_whole
from concord.contracts.position import Position

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOPIC = "ecommerce.public.orders"


def at(offset: int) -> Position:
    return Position.of([(TOPIC, 0, offset)])


def steps(*given: tuple[State, int], project: str = "p", is_full: bool = False) -> list[Build]:
    return [
        Build(number, state, at(offset), NOON, project, is_full)
        for number, (state, offset) in enumerate(given, start=1)
    ]


def test_first_build_makes_everything() -> None:
    assert extent([], at(7), NOON, "p") == Extent(at(7))
    assert extent(steps((State.BEGUN, 7)), at(7), NOON, "p").is_full


def test_build_takes_in_what_came_since_the_last_one_that_ended() -> None:
    assert extent(steps((State.BEGUN, 3), (State.ENDED, 3)), at(7), NOON, "p") == Extent(at(7), at(3), at(7))


def test_build_that_broke_off_is_taken_in_as_far_as_it_may_have_got() -> None:
    history = steps((State.ENDED, 3), (State.PUBLISHED, 3), (State.BEGUN, 9), (State.BEGUN, 5))
    assert extent(history, at(7), NOON, "p") == Extent(at(7), at(3), at(9))


def test_build_at_an_earlier_position_takes_the_changes_between_back() -> None:
    assert extent(steps((State.ENDED, 9)), at(7), NOON, "p") == Extent(at(7), at(7), at(9))


def test_same_position_and_time_leave_nothing_to_do() -> None:
    history = steps((State.BEGUN, 3), (State.ENDED, 3), (State.PUBLISHED, 3))
    assert extent(history, at(3), NOON, "p").is_empty
    assert not extent(history, at(3), NOON + timedelta(days=1), "p").is_empty
    assert not extent([*history, replace(history[0], number=4)], at(3), NOON, "p").is_empty


def test_other_models_make_everything_anew() -> None:
    assert extent(steps((State.ENDED, 3)), at(7), NOON, "another").is_full
    broken_off = [*steps((State.ENDED, 3)), Build(2, State.BEGUN, at(5), NOON, "another", is_full=True)]
    assert extent(broken_off, at(7), NOON, "p").is_full


def test_full_build_that_broke_off_is_owed_until_one_has_ended() -> None:
    history = [*steps((State.ENDED, 3), (State.PUBLISHED, 3)), Build(3, State.BEGUN, at(3), NOON, "p", is_full=True)]
    later = Build(4, State.BEGUN, at(5), NOON, "p", is_full=False)
    assert extent([*history, later], at(5), NOON, "p").is_full
    assert not extent([*history, replace(later, is_full=True, state=State.ENDED)], at(7), NOON, "p").is_full


def test_publication_is_whole_after_a_full_build_and_by_key_otherwise() -> None:
    full = steps((State.BEGUN, 3), (State.ENDED, 3), is_full=True)
    assert is_whole(full)
    published = [*full, Build(3, State.PUBLISHED, at(3), NOON, "p", is_full=True)]
    later = Build(4, State.ENDED, at(5), NOON, "p", is_full=False)
    assert not is_whole([*published, later])
    assert is_whole([*published, replace(later, is_full=True), replace(later, number=5)])


@given(st.lists(st.tuples(st.sampled_from(State), st.integers(0, 20)), min_size=1), st.integers(0, 20))
def test_every_position_since_the_last_complete_one_lies_within_the_extent(
    given: list[tuple[State, int]], target: int
) -> None:
    wanted = extent(steps(*given), at(target), NOON, "p")
    if wanted.since is None:
        return
    after = [offset for _, offset in given[max(i for i, (state, _) in enumerate(given) if state is not State.BEGUN) :]]
    for offset in (*after, target):
        assert wanted.reached.covers(at(offset))
    assert at(after[0]).covers(wanted.since)
    assert at(target).covers(wanted.since)
