"""A warehouse is paid for from its first statement to its stop: by example, and for any statements at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.warehouse import Size
from concord.rules.warehouse_cost import DAY, MINIMUM, Prices, Statement, bill, priced, repeated, runs, seconds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PRICES = Prices(
    date(2026, 1, 1), "of the test", "EUR", Decimal(3), {size: Decimal(2**n) for n, size in enumerate(Size)}
)


def at(begin: float, took: float) -> Statement:
    begun_at = NOON + timedelta(seconds=begin)
    return Statement("WH", begun_at, begun_at + timedelta(seconds=took))


def stop(after: int) -> timedelta:
    return timedelta(seconds=after)


MILLISECONDS = st.integers(0, 3_600_000).map(lambda each: each / 1000)
STATEMENTS = st.lists(st.builds(at, MILLISECONDS, st.integers(0, 120_000).map(lambda each: each / 1000)), max_size=30)
SUSPEND = st.integers(60, 900).map(stop)


def test_one_quick_statement_pays_for_the_time_until_the_warehouse_stops() -> None:
    (run,) = runs([at(0, 1)], stop(300))
    assert run.billed == timedelta(seconds=301)


def test_a_start_pays_for_a_minute_at_least() -> None:
    (run,) = runs([at(0, 1)], stop(10))
    assert run.billed == MINIMUM


def test_a_statement_before_the_stop_goes_on_and_one_after_it_starts_anew() -> None:
    assert len(runs([at(0, 10), at(310, 10)], stop(300))) == 1
    assert len(runs([at(0, 10), at(310.001, 10)], stop(300))) == 2


def test_statements_at_the_same_time_are_busy_once() -> None:
    (run,) = runs([at(0, 10), at(2, 3), at(5, 10)], stop(60))
    assert run.busy == timedelta(seconds=15)


def test_a_small_one_for_an_hour_is_two_credits() -> None:
    hour = bill("WH", [at(0, 3540)], Size.SMALL, stop(60), PRICES)
    assert (hour.credits, hour.money) == (Decimal(2), Decimal(6))
    assert f"{hour.idle_share:.4f}" == "0.0167"


def test_nothing_sent_costs_nothing() -> None:
    nothing = bill("WH", [], Size.XXLARGE, stop(60), PRICES)
    assert (nothing.credits, nothing.idle_share, nothing.starts) == (0, 0, 0)


@given(STATEMENTS, SUSPEND)
def test_paid_is_at_least_what_was_busy_and_the_wait_for_each_stop(
    statements: list[Statement], suspend: timedelta
) -> None:
    for run in runs(statements, suspend):
        assert run.billed >= max(MINIMUM, run.busy + suspend)
        assert run.busy <= sum((each.took for each in run.statements), timedelta())


@given(STATEMENTS, SUSPEND)
def test_every_statement_is_in_one_run_and_runs_do_not_touch(statements: list[Statement], suspend: timedelta) -> None:
    found = runs(statements, suspend)
    assert sorted(each.begun_at for run in found for each in run.statements) == sorted(s.begun_at for s in statements)
    assert all(earlier.stopped_at < later.begun_at for earlier, later in pairwise(found))


@given(STATEMENTS, SUSPEND, SUSPEND)
def test_stopping_sooner_never_costs_more(statements: list[Statement], one: timedelta, other: timedelta) -> None:
    sooner, later = (bill("WH", statements, Size.SMALL, each, PRICES) for each in sorted((one, other)))
    assert sooner.credits <= later.credits
    assert sooner.starts >= later.starts
    assert sooner.busy == later.busy


@given(STATEMENTS, SUSPEND, st.randoms(use_true_random=False), st.integers(-10_000, 10_000))
def test_neither_their_order_nor_the_hour_matters(
    statements: list[Statement], suspend: timedelta, random: Random, shift: int
) -> None:
    moved = [at((each.begun_at - NOON).total_seconds() + shift, each.took.total_seconds()) for each in statements]
    random.shuffle(moved)
    before, after = (bill("WH", each, Size.SMALL, suspend, PRICES) for each in (statements, moved))
    assert (before.credits, before.starts, before.busy) == (after.credits, after.starts, after.busy)


@given(STATEMENTS, SUSPEND)
def test_what_statements_are_charged_adds_up_to_the_bill(statements: list[Statement], suspend: timedelta) -> None:
    charged = list(priced(statements, Size.MEDIUM, suspend, PRICES))
    assert len(charged) == len(statements)
    total = sum((credits for _, credits in charged), Decimal())
    assert abs(total - bill("WH", statements, Size.MEDIUM, suspend, PRICES).credits) < Decimal("1e-20")


@given(STATEMENTS, SUSPEND)
def test_one_size_up_costs_twice_as_much_for_the_same_time(statements: list[Statement], suspend: timedelta) -> None:
    small, medium = (bill("WH", statements, size, suspend, PRICES) for size in (Size.SMALL, Size.MEDIUM))
    assert abs(medium.credits - 2 * small.credits) < Decimal("1e-20")


@given(st.lists(st.builds(at, MILLISECONDS, st.just(1.0)), min_size=1, max_size=5), st.integers(15, 1440))
def test_a_day_repeats_the_batch_as_often_as_it_fits(statements: list[Statement], minutes: int) -> None:
    every = timedelta(minutes=minutes)
    day = repeated(statements, every)
    assert len(day) == len(statements) * (DAY // every)
    assert day[: len(statements)] == statements


def test_a_batch_so_often_that_the_warehouse_never_stops_pays_for_the_whole_day() -> None:
    day = repeated([at(0, 30)], timedelta(minutes=5))
    never = bill("WH", day, Size.XSMALL, stop(300), PRICES)
    assert never.starts == 1
    assert seconds(never.billed) == 86_400 - 300 + 30 + 300
    assert bill("WH", day, Size.XSMALL, stop(60), PRICES).billed == 288 * timedelta(seconds=90)
