from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from concord.rules.anomalies import LEAST_WEEKS, WEEK_DAYS, WEEKS, band_of, judge_days

FIRST = date(2024, 1, 1)
figures = st.floats(0, 1e6)
histories = st.lists(figures, min_size=LEAST_WEEKS, max_size=WEEKS)


def weekly(*values: float) -> dict[date, float]:
    """The same weekday, week after week."""
    return {FIRST + timedelta(days=WEEK_DAYS * week): value for week, value in enumerate(values)}


def odd_days(known: dict[date, float], missing: float | None = None) -> list[date]:
    return [day.day for day in judge_days(known, missing) if day.is_odd]


def test_nothing_is_expected_without_history() -> None:
    assert band_of([10] * (LEAST_WEEKS - 1)) is None
    assert odd_days(weekly(10, 10, 10, 1000)) == []


def test_a_day_far_from_its_weekday_is_odd_in_both_directions() -> None:
    known = weekly(100, 104, 97, 101, 99, 300, 100, 3)
    assert odd_days(known) == [FIRST + timedelta(weeks=5), FIRST + timedelta(weeks=7)]


def test_a_peak_in_the_history_does_not_hide_the_next_one() -> None:
    assert len(odd_days(weekly(100, 104, 97, 101, 5000, 99, 5000))) == 2


def test_a_quiet_weekday_is_judged_by_its_own_kind() -> None:
    """Nobody orders on a Saturday: that is no anomaly, an order on one is."""
    known = {FIRST + timedelta(days=day): 100.0 for day in range(60) if day % WEEK_DAYS != 5}
    assert odd_days(known, missing=0.0) == []
    saturday = FIRST + timedelta(days=5 + 6 * WEEK_DAYS)
    assert odd_days({**known, saturday: 40.0}, missing=0.0) == [saturday]


def test_a_day_without_rows_has_no_share_of_anything() -> None:
    known = weekly(0.2, 0.2, 0.2, 0.2, 0.2)
    assert len(judge_days(known, missing=None)) == len(known)
    assert len(judge_days(known, missing=0.0)) == 4 * WEEK_DAYS + 1


@given(histories)
def test_the_median_of_the_history_is_never_odd(history: list[float]) -> None:
    band = band_of(history)
    assert band is not None
    assert band.holds(sorted(history)[len(history) // 2]) or len(history) % 2 == 0
    assert band.low <= band.high


@given(st.lists(figures, min_size=1, max_size=40), st.integers(1, 39))
def test_what_comes_later_changes_no_verdict(values: list[float], kept: int) -> None:
    known = {FIRST + timedelta(days=day): value for day, value in enumerate(values)}
    earlier = dict(list(known.items())[:kept])
    assert judge_days(known, 0.0)[: len(earlier)] == judge_days(earlier, 0.0)
