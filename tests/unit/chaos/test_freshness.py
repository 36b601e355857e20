"""When the speed layer counts as fresh again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.chaos.freshness import Look, Looks, Recovery
from concord.chaos.load import Leg, Timeline, timetable

OVER = 1000.0
FRESH = Recovery(over_at=OVER, number=100, limit_seconds=5.0)


def looks(*seen):
    """From (seconds after the fault, held, age)."""
    return [Look(OVER + after, held, age) for after, held, age in seen]


def steadily(first, last, age=2.0):
    return [(at / 2, 200, age) for at in range(int(first * 2), int(last * 2) + 1)]


def test_it_counts_from_the_end_of_the_fault_until_what_was_due_is_held():
    assert FRESH.seconds(looks((0, 50, 1), (1, 90, 2), *steadily(3, 11))) == 3.0


def test_a_layer_that_stands_still_is_not_fresh_before_its_age_shows_it():
    still = [(at, 100, 1.0 + at) for at in range(8)]
    assert FRESH.seconds(looks(*still)) is None


def test_what_becomes_stale_once_more_was_not_fresh_for_good():
    seen = [*steadily(1, 4), (5, 200, 6.0), *steadily(6, 20)]
    assert FRESH.seconds(looks(*seen)) == 6.0


def test_it_is_not_known_before_it_has_settled():
    assert FRESH.seconds(looks(*steadily(1, 8.5))) is None
    assert FRESH.seconds(looks(*steadily(1, 9))) == 1.0


def test_before_the_fault_is_over_nothing_counts():
    assert FRESH.seconds(looks((-20, 10, 30), (-1, 90, 9), *steadily(0, 8))) == 0.0
    assert FRESH.seconds([]) is None


MOMENTS = st.integers(0, 100_000).map(lambda milliseconds: milliseconds / 1000)


@given(st.lists(st.tuples(MOMENTS, st.integers(0, 200), st.floats(0, 20)), max_size=40, unique_by=lambda look: look[0]))
def test_nothing_after_the_recovery_is_stale(seen):
    taken = looks(*sorted(seen))
    seconds = FRESH.seconds(taken)
    if seconds is not None:
        after = [look for look in taken if look.at - OVER >= seconds]
        assert all(look.held >= FRESH.number and look.age <= FRESH.limit_seconds for look in after)


@pytest.mark.parametrize(("held", "age"), [(0, 10.0), (500, 5.0), (900, 1.0), (1000, 0.0)])
def test_the_age_is_that_of_the_first_record_that_is_not_held(held, age):
    line = Timeline([schedule for _, schedule in timetable([Leg(100, 100)], OVER)])
    seen = Looks(line)
    seen.add(OVER + 10, held)
    assert seen.taken == [Look(OVER + 10, held, age)]


def test_while_the_store_is_away_nothing_more_is_held_and_the_age_grows():
    line = Timeline([schedule for _, schedule in timetable([Leg(100, 100)], OVER)])
    seen = Looks(line)
    for at, held in ((10, 900), (11, None), (12, None)):
        seen.add(OVER + at, held)
    assert [(look.held, look.age) for look in seen.taken] == [(900, 1.0), (900, 2.0), (900, 3.0)]
