"""Executors follow the load: fast up, slowly down, and on a constant load not at all."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concord.errors import Misconfigured
from concord.rules.load import Observation
from concord.rules.scaling import Reason, advise
from concord.rules.scaling_settings import ScalingSettings
from tests.recorded_loads import BURST, SHOP_DAY, SHOP_DAY_STEP_SECONDS, recorded
from tests.stream_simulator import LoadCurve, Simulation

WIDE = ScalingSettings(partitions=16, max_executors=16)
HOUR, DAY = 3600.0, 86_400.0
simulated = settings(max_examples=12, deadline=None)


def constant(per_second: float) -> LoadCurve:
    return lambda _: per_second


def seen(at: float = 0.0, **named: Any) -> Observation:
    """One executor, half busy, nothing waiting."""
    half_busy = Observation(at, 10_000, 20_000, 20_000, batch_id=0, batch_seconds=1.0, trigger_seconds=2.0, executors=1)
    return replace(half_busy, **named)


def overloaded(at: float = 0.0, **named: Any) -> Observation:
    return seen(at, **{"input_per_second": 40_000, "batch_seconds": 6.0, "lag_records": 240_000, **named})


def series(*, seconds: float, of: Observation, executors_before: int | None = None) -> list[Observation]:
    """One observation every two seconds; before them, if asked, one with other executors."""
    steps = [replace(of, at_seconds=2.0 * step, batch_id=step) for step in range(int(seconds / 2) + 1)]
    before = [replace(of, at_seconds=-60.0, executors=executors_before)] if executors_before else []
    return before + steps


# --- one decision ---


def test_a_load_that_fits_changes_nothing() -> None:
    advice = advise(series(seconds=20, of=seen()), WIDE)

    assert (advice.executors, advice.reason, advice.is_change) == (1, Reason.STEADY, False)
    assert advice.share == pytest.approx(0.5)
    assert advice.capacity_per_second == pytest.approx(20_000)
    assert advice.expected_drain_seconds == pytest.approx(2.0)


def test_long_batches_bring_the_executors_that_the_load_needs_at_once() -> None:
    advice = advise(series(seconds=10, of=overloaded()), WIDE)

    # 40,000 at 60 % of 20,000 each is 3.3; with 240,000 waiting and a restart to catch up with, it stays below 4.
    assert (advice.executors, advice.reason) == (4, Reason.LONG_BATCHES)
    # 30 s of restart, then 240,000 and 30 × 40,000 at 40,000 to spare.
    assert advice.expected_drain_seconds == pytest.approx(30 + 36)


def test_what_waits_brings_executors_even_while_the_input_alone_would_fit() -> None:
    backlog = overloaded(input_per_second=10_000, lag_records=3_600_000)
    advice = advise(series(seconds=10, of=backlog), WIDE)

    assert (advice.executors, advice.reason) == (3, Reason.SLOW_DRAIN)


def test_a_backlog_that_drains_in_time_is_left_to_drain() -> None:
    draining = overloaded(input_per_second=10_000, lag_records=600_000)

    assert advise(series(seconds=10, of=draining), WIDE).reason is Reason.STEADY


def test_a_growing_lag_is_met_before_it_is_too_large() -> None:
    still = series(seconds=10, of=overloaded(input_per_second=15_000, lag_records=500_000))
    growing = [replace(o, lag_records=o.lag_records - int(5_000 * (10 - o.at_seconds))) for o in still]

    assert advise(still, WIDE).reason is Reason.STEADY
    assert (advise(growing, WIDE).reason, advise(growing, WIDE).lag_per_second) == (Reason.SLOW_DRAIN, 5_000)


def test_short_batches_under_a_lag_are_no_reason_for_executors() -> None:
    advice = advise(series(seconds=10, of=seen(input_per_second=25_000, lag_records=9_000_000)), WIDE)

    assert (advice.executors, advice.reason) == (1, Reason.CAPPED_BATCHES)
    assert advice.expected_drain_seconds is None


def test_one_batch_alone_brings_no_executors() -> None:
    """After an idle time: the last batch was all start-up, and what came meanwhile is still being worked on."""
    start_up = overloaded(processed_per_second=43, batch_seconds=1.4, lag_records=0, input_per_second=30)
    observations = [*series(seconds=10, of=start_up), *(overloaded(at, batch_id=5) for at in (12, 14, 16))]
    waiting = [replace(o, processed_per_second=43, batch_seconds=1.4) for o in observations]

    assert advise(waiting, WIDE).reason is Reason.UNCONFIRMED
    assert advise([*waiting, overloaded(18, batch_id=6)], WIDE).executors == 4


def test_a_young_driver_is_not_judged() -> None:
    observations = series(seconds=20, of=overloaded())

    assert advise(observations, WIDE, running_seconds=119).reason is Reason.COOLING_DOWN
    assert advise(observations, WIDE, running_seconds=120).reason is Reason.LONG_BATCHES


def test_one_odd_batch_decides_nothing() -> None:
    observations = series(seconds=10, of=seen())
    observations[-1] = replace(observations[-1], batch_seconds=2.5, processed_per_second=8_000)

    assert not advise(observations, WIDE).is_change


def test_an_unmeasured_query_is_left_alone() -> None:
    assert advise([seen(processed_per_second=0, batch_seconds=0)], WIDE).reason is Reason.UNMEASURED


def test_nothing_seen_is_refused() -> None:
    with pytest.raises(Misconfigured, match="observation"):
        advise([], WIDE)


def test_after_a_change_nothing_is_changed_until_it_has_cooled_down() -> None:
    hot = series(seconds=118, of=overloaded(), executors_before=2)
    cool = series(seconds=120, of=overloaded(), executors_before=2)

    assert advise(hot, WIDE).reason is Reason.COOLING_DOWN
    assert advise(cool, WIDE).reason is Reason.LONG_BATCHES


def test_executors_go_only_after_a_calm_time_and_half_of_them_at_most() -> None:
    idle = seen(input_per_second=100, lag_records=200, processed_per_second=1_000, batch_seconds=0.2, executors=8)

    assert advise(series(seconds=598, of=idle), WIDE).executors == 8
    assert advise(series(seconds=600, of=idle), WIDE).executors == 4


def test_one_busy_moment_in_the_calm_time_keeps_the_executors() -> None:
    idle = seen(input_per_second=100, lag_records=200, processed_per_second=1_000, batch_seconds=0.2, executors=8)
    observations = series(seconds=600, of=idle)
    for index in range(100, 106):
        observations[index] = replace(
            observations[index], input_per_second=80_000, processed_per_second=100_000, batch_seconds=1.6
        )

    assert advise(observations, WIDE).executors == 8


@pytest.mark.parametrize(("partitions", "cores", "most"), [(4, 1, 4), (4, 3, 2), (4, 8, 1), (64, 1, 16)])
def test_executors_never_outnumber_the_partitions_their_cores_can_read(partitions: int, cores: int, most: int) -> None:
    bounds = replace(WIDE, partitions=partitions, cores_per_executor=cores)
    advice = advise(series(seconds=10, of=overloaded(input_per_second=10_000_000)), bounds)

    assert (advice.executors, bounds.most) == (most, most)


def test_a_load_beyond_the_bounds_is_said_to_be_so() -> None:
    bounds = replace(WIDE, max_executors=1)
    advice = advise(series(seconds=10, of=overloaded()), bounds)

    assert (advice.reason, advice.expected_drain_seconds) == (Reason.AT_BOUND, None)


def test_a_number_outside_the_bounds_is_brought_back() -> None:
    advice = advise(series(seconds=10, of=seen(executors=20)), WIDE)

    assert (advice.executors, advice.reason) == (16, Reason.OUTSIDE_BOUNDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partitions", 0),
        ("cores_per_executor", -1),
        ("min_executors", 17),
        ("max_executors", 0),
        ("target_share", 0.9),
        ("up_share", 1.5),
        ("down_share", 1.0),
        ("drain_seconds", float("nan")),
        ("restart_seconds", float("inf")),
        ("cool_down_seconds", -5.0),
        ("calm_seconds", 60.0),
        ("recent_seconds", 0.0),
    ],
)
def test_a_wrong_setting_names_itself(name: str, value: float) -> None:
    with pytest.raises(Misconfigured, match=name if name != "min_executors" else "min_executors|max_executors"):
        replace(WIDE, **{name: value})


# --- over time ---


loads = st.floats(1, 75_000)
starts = st.integers(1, 16)
costs = st.floats(0.05, 0.5)


def is_enough(run: Simulation, per_second: float) -> bool:
    return run.executors * run.rate > per_second and max(run.lags(2 * HOUR)) < 10 * per_second + 10


def goes_up_after_down(run: Simulation) -> bool:
    first_down = next((i for i, (_, a) in enumerate(run.changes) if a.executors < a.now), len(run.changes))
    return any(advice.executors > advice.now for _, advice in run.changes[first_down:])


@given(per_second=loads, start=starts, cost=costs)
@simulated
def test_on_a_constant_load_the_number_settles_and_is_enough(per_second: float, start: int, cost: float) -> None:
    run = Simulation(constant(per_second), WIDE, start, batch_cost_seconds=cost).run(2.5 * HOUR)

    assert [at for at, _ in run.changes if at > 2 * HOUR] == []
    assert is_enough(run, per_second)
    assert not goes_up_after_down(run)


@given(per_second=loads, start=starts, cost=costs, noise=st.floats(0.01, 0.2), seed=st.integers(0, 1000))
@simulated
def test_noise_on_a_constant_load_never_brings_back_what_went(
    per_second: float, start: int, cost: float, noise: float, seed: int
) -> None:
    """A long calm may still let one more executor go, hours later; what it may not do is turn round."""
    run = Simulation(constant(per_second), WIDE, start, batch_cost_seconds=cost, noise=noise, seed=seed).run(2.5 * HOUR)

    assert not goes_up_after_down(run)
    assert len(run.changes) <= 8
    assert run.executors * run.rate > per_second


@given(
    steps=st.lists(st.floats(0, 200_000), min_size=2, max_size=6),
    start=st.integers(2, 12),
    partitions=st.integers(6, 24),
    seed=st.integers(0, 1000),
)
@simulated
def test_on_any_load_bounds_and_cool_down_hold(steps: list[float], start: int, partitions: int, seed: int) -> None:
    bounds = replace(WIDE, partitions=partitions, min_executors=2, max_executors=12)
    curve: LoadCurve = lambda at: steps[min(int(at / 400), len(steps) - 1)]  # noqa: E731
    run = Simulation(curve, bounds, min(start, bounds.most), noise=0.3, seed=seed).run(400.0 * len(steps))

    assert all(2 <= executors <= bounds.most for executors in run.path)
    assert all(gap >= bounds.cool_down_seconds for gap in run.gaps())
    downs = [at for at, advice in run.changes if advice.executors < advice.now]
    assert all(at >= bounds.calm_seconds for at in downs)


observed = st.builds(
    seen,
    input_per_second=st.floats(0, 1e5),
    processed_per_second=st.floats(0, 1e5),
    lag_records=st.integers(0, 10**7),
    batch_seconds=st.floats(0, 20),
)


@given(
    recent=st.lists(observed, min_size=1, max_size=8),
    executors=st.integers(1, 16),
    more=st.integers(0, 10**8),
    is_calm=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_more_lag_never_asks_for_fewer_executors(
    recent: list[Observation], executors: int, more: int, is_calm: bool
) -> None:
    spacing = 100 if is_calm else 2
    observations = [
        replace(o, at_seconds=spacing * at, executors=executors, batch_id=at // 2) for at, o in enumerate(recent)
    ]
    behind = [*observations[:-1], replace(observations[-1], lag_records=observations[-1].lag_records + more)]

    assert advise(behind, WIDE).executors >= advise(observations, WIDE).executors


def test_five_times_the_load_for_half_a_minute_is_caught_up_with_as_foretold() -> None:
    curve: LoadCurve = lambda at: 100_000 if 1000 <= at < 1030 else 20_000  # noqa: E731
    run = Simulation(curve, WIDE, 4).run(2 * HOUR)
    up_at, up = run.changes[0]

    assert up_at < 1015
    assert up.expected_drain_seconds is not None
    assert max(run.lags(up_at + 1.25 * up.expected_drain_seconds, until=run.changes[1][0])) < 100_000
    assert run.path[1:] == sorted(run.path[1:], reverse=True)
    assert len(run.changes) <= 4
    assert run.advice is not None
    assert run.advice.reason is Reason.STEADY


def test_a_day_of_shopping_takes_a_handful_of_restarts() -> None:
    curve: LoadCurve = lambda at: 20_000 * (1 + 0.8 * math.sin(2 * math.pi * at / DAY))  # noqa: E731
    run = Simulation(curve, WIDE, 4, noise=0.1, trigger_seconds=10.0).run(DAY)

    assert len(run.changes) <= 10
    assert (max(run.path), min(run.path)) == (6, 1)
    assert max(run.lags(HOUR)) < 45 * 36_000, "more waited than a restart leaves"


def test_load_after_idleness_is_met_within_half_a_minute() -> None:
    run = Simulation(lambda at: 20_000 if at >= 600 else 2, WIDE).run(0.5 * HOUR)

    assert run.changes[0][0] < 630
    assert run.path in ([3], [4])
    assert max(run.lags(900)) < 100_000


def test_a_sawtooth_is_not_followed_down_each_tooth() -> None:
    run = Simulation(lambda at: 40_000 * (at % 600) / 600, WIDE, noise=0.1).run(2 * HOUR)

    assert run.path == sorted(run.path)
    assert max(run.lags(HOUR)) < 5 * 40_000


def test_bounded_batches_are_named_as_what_holds_the_stream_up() -> None:
    run = Simulation(constant(30_000), WIDE, rate=50_000, max_batch=20_000).run(400)

    assert run.changes == []
    assert run.advice is not None
    assert run.advice.reason is Reason.CAPPED_BATCHES


# --- recorded loads ---


def test_a_recorded_burst_is_met_once_and_then_left() -> None:
    start = 1000.0
    run = Simulation(recorded(BURST, 1.0, before=start), WIDE, 4).run(2 * HOUR)

    assert start + BURST.index(max(BURST)) - 10 < run.changes[0][0] < start + len(BURST)
    assert len(run.changes) <= 4, run.path
    assert run.path[1:] == sorted(run.path[1:], reverse=True)
    assert max(run.lags(start + 600)) < 2 * WIDE.restart_seconds * 20_000, "more waited than a restart leaves"


def test_a_recorded_day_of_a_shop_is_followed_with_few_restarts() -> None:
    busiest = 60_000 / max(SHOP_DAY)
    curve = recorded(SHOP_DAY, SHOP_DAY_STEP_SECONDS, times=busiest)
    run = Simulation(curve, WIDE, trigger_seconds=10.0, noise=0.1).run(len(SHOP_DAY) * SHOP_DAY_STEP_SECONDS)

    assert len(run.changes) <= 16, run.path
    assert max(run.path) >= 6, "the last rush needs six executors at the least"
    assert min(run.gaps()) >= WIDE.cool_down_seconds
    drained = [lag < 10.0 * 60_000 for lag in run.lags(0)]
    assert sum(drained) / len(drained) > 0.95
