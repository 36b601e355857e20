"""The batch layer's capacity is arithmetic on what was measured: every figure can be done again by hand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.errors import Misconfigured
from concord.rules.batch_capacity import Volume, batch_capacity, warehouse_work
from concord.rules.batch_costs import DECLARED, BatchCosts, BatchStep, StepCost, batch_costs, line
from concord.rules.warehouse_cost import seconds

COSTS = BatchCosts(
    {step: StepCost(0.0) for step in BatchStep}
    | {
        BatchStep.SINK: StepCost(50.0),
        BatchStep.START: StepCost(0.0, 10.0),
        BatchStep.CONNECTOR: StepCost(20.0, 5.0),
        BatchStep.MODELS: StepCost(100.0, 25.0),
    },
    log_bytes_per_row=40,
    mirror_bytes_per_row=30,
)
VOLUME = Volume(orders_per_day=100_000, lines_per_order=6, changes_per_order=4)


def test_a_batch_takes_what_its_steps_take_for_the_rows_that_came() -> None:
    answer = batch_capacity(VOLUME, COSTS)

    # A million rows: start 10, connector 5 + 20, models 25 + 100; the sink works beside it.
    assert VOLUME.rows_per_batch == 1_000_000
    assert answer.batch_seconds == pytest.approx(160)


def test_batches_of_a_quarter_of_an_hour_take_in_a_quarter_of_an_hours_rows() -> None:
    quarter = replace(VOLUME, every=timedelta(minutes=15))

    assert quarter.rows_per_batch == pytest.approx(1_000_000 / 96)
    assert batch_capacity(quarter, COSTS).batch_seconds == pytest.approx(40 + 120 / 96)


def test_the_lake_grows_by_every_change_and_its_mirrors_by_new_rows() -> None:
    answer = batch_capacity(VOLUME, COSTS)

    assert answer.lake_bytes_per_day == 1_000_000 * 40
    assert answer.mirror_bytes_per_day == 100_000 * 7 * 30


def test_what_breaks_first_is_the_step_that_fills_the_day_first() -> None:
    answer = batch_capacity(VOLUME, COSTS)

    # (86,400 − 25) s ÷ 100 s per million rows are 863.75 million rows, at 10 rows an order.
    assert answer.breaks_first.step is BatchStep.MODELS
    assert answer.breaks_first.breaks_at_orders_per_day == pytest.approx(86_375_000)
    # All steps of a batch together: (86,400 − 40) s ÷ 120 s per million.
    assert answer.limit_orders_per_day == pytest.approx(86_360 / 120 * 100_000)
    assert answer.is_enough


def test_a_slow_sink_breaks_first_though_no_batch_waits_for_it() -> None:
    slow = replace(COSTS, steps={**COSTS.steps, BatchStep.SINK: StepCost(1_000.0)})
    answer = batch_capacity(replace(VOLUME, orders_per_day=10_000_000), slow)

    assert answer.breaks_first.step is BatchStep.SINK
    assert answer.limit_orders_per_day == pytest.approx(8_640_000)
    assert not answer.is_enough


def test_a_batch_whose_start_alone_is_too_long_is_never_enough() -> None:
    answer = batch_capacity(replace(VOLUME, orders_per_day=1, every=timedelta(seconds=30)), COSTS)

    assert answer.limit_orders_per_day == 0
    assert not answer.is_enough


def test_each_warehouse_is_paid_for_its_own_steps() -> None:
    work = warehouse_work(batch_capacity(VOLUME, COSTS))
    paid = {
        name: sum(seconds(each.took) for each in work if each.warehouse == name) for name in ("LOAD_WH", "COMPUTE_WH")
    }

    assert paid == {"LOAD_WH": 25, "COMPUTE_WH": 125}


@given(orders=st.floats(1, 1e8), growth=st.floats(1, 100))
def test_more_orders_never_take_less(orders: float, growth: float) -> None:
    less = batch_capacity(replace(VOLUME, orders_per_day=orders), DECLARED)
    more = batch_capacity(replace(VOLUME, orders_per_day=orders * growth), DECLARED)

    assert more.batch_seconds >= less.batch_seconds
    assert more.limit_orders_per_day == pytest.approx(less.limit_orders_per_day)


# --- what a benchmark says ---


def test_a_line_through_two_batches_has_a_fixed_part_and_one_per_row() -> None:
    assert line((100_000, 12.0), (1_100_000, 32.0)) == StepCost(20.0, 10.0)


def test_what_is_fixed_is_never_below_zero() -> None:
    assert line((500_000, 5.0), (1_000_000, 20.0)) == StepCost(30.0, 0.0)


@pytest.mark.parametrize("large", [(1_000_000, 4.0), (1_000_000, 5.0), (10, 9.0)])
def test_a_larger_run_that_took_no_longer_tells_nothing(large: tuple[float, float]) -> None:
    assert line((10, 5.0), large) is None


def test_a_benchmark_replaces_what_it_measured_and_nothing_else() -> None:
    found = {"models": {"seconds_per_million": 80.5, "rows": 3}, "log_bytes_per_row": 33, "speed": {}}
    costs = batch_costs({"result": {"capacity": found}})

    assert costs.steps[BatchStep.MODELS] == replace(DECLARED.steps[BatchStep.MODELS], seconds_per_million=80.5)
    assert costs.steps[BatchStep.SINK] == DECLARED.steps[BatchStep.SINK]
    assert (costs.log_bytes_per_row, costs.mirror_bytes_per_row) == (33, DECLARED.mirror_bytes_per_row)


@pytest.mark.parametrize("document", [None, [], {}, {"result": None}, {"result": {"capacity": []}}])
def test_a_benchmark_without_costs_is_refused(document: Any) -> None:
    with pytest.raises(Misconfigured, match=r"result\.capacity"):
        batch_costs(document)


@pytest.mark.parametrize("value", [-1, "12", None, True, float("nan"), float("inf")])
def test_a_wrong_cost_names_step_and_field(value: Any) -> None:
    with pytest.raises(Misconfigured, match=r"capacity\.models\.fixed_seconds"):
        batch_costs({"result": {"capacity": {"models": {"fixed_seconds": value}}}})
    with pytest.raises(Misconfigured, match=r"capacity\.log_bytes_per_row"):
        batch_costs({"result": {"capacity": {"log_bytes_per_row": value}}})


def test_a_step_that_is_no_object_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"capacity\.sink"):
        batch_costs({"result": {"capacity": {"sink": 12}}})
