"""``concord capacity --orders``: what a volume of orders needs of the batch layer."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from concord.cli.batch_capacity import DECLARED_NOTE, bills, measured_costs, summary
from concord.cli.measured import RESULTS
from concord.errors import Misconfigured
from concord.rules.batch_capacity import Volume, batch_capacity
from concord.rules.batch_costs import DECLARED, BatchStep
from tests.unit.rules.test_warehouse_cost import PRICES

VOLUME = Volume(orders_per_day=100_000)
MINUTE = timedelta(minutes=1)


def test_neither_a_rate_nor_a_volume_is_a_matter_of_usage(concord) -> None:
    ended = concord("capacity")
    assert ended.code == 2
    assert "--target" in ended.err
    assert "--orders" in ended.err


@pytest.mark.parametrize("given", ["0", "-1", "many"])
def test_a_number_of_orders_that_cannot_be_is_refused(concord, given: str) -> None:
    ended = concord("capacity", "--orders", given)
    assert ended.code == 2
    assert "--orders takes a number above 0" in ended.err


def test_the_answer_has_every_step_and_what_it_costs(concord) -> None:
    ended = concord("capacity", "--orders", "100000", "--json")
    answer = json.loads(ended.out)["batch"]

    assert [step["step"] for step in answer["steps"]] == [step.value for step in BatchStep]
    assert {each["warehouse"] for each in answer["warehouses_a_day"]} == {"LOAD_WH", "COMPUTE_WH"}
    assert answer["limit_orders_per_day"] > 100_000
    assert answer["is_enough"]


def test_both_layers_are_answered_together(concord) -> None:
    answer = json.loads(concord("capacity", "--target", "20000", "--orders", "100000", "--json").out)
    assert {"partitions", "batch"} <= set(answer)


def test_batches_that_come_often_pay_for_every_start() -> None:
    daily, often = (
        sum(each.credits for each in bills(batch_capacity(volume, DECLARED), MINUTE, PRICES))
        for volume in (VOLUME, replace(VOLUME, every=timedelta(hours=1)))
    )
    assert often > 5 * daily


def test_a_volume_that_cannot_be_taken_in_is_said_so() -> None:
    assert not any("not enough" in line for line in summary(batch_capacity(VOLUME, DECLARED)))
    assert "not enough" in summary(batch_capacity(replace(VOLUME, orders_per_day=1e9), DECLARED))[-1]


def test_without_a_benchmark_the_declared_costs_are_taken_and_named(tmp_path: Path) -> None:
    kept(tmp_path, "batch-void", 9, lines=10_000_000, is_void=True)
    kept(tmp_path, "batch-lake-alone", 9, lines=10_000_000, steps=("sink", "merge"))
    assert measured_costs(tmp_path) == (DECLARED, DECLARED_NOTE)


def test_the_largest_benchmark_is_taken_and_of_those_the_newest(tmp_path: Path) -> None:
    kept(tmp_path, "batch", 4, lines=1_000_000, at="2026-01-09")
    kept(tmp_path, "batch-10m-again", 5, lines=10_000_000, at="2026-01-02")
    kept(tmp_path, "batch-10m", 6, lines=10_000_000, at="2026-01-01")
    costs, source = measured_costs(tmp_path)
    assert (costs.steps[BatchStep.SINK].seconds_per_million, source) == (5, "batch-10m-again.json")


def kept(
    folder: Path,
    name: str,
    sink: float,
    lines: int,
    at: str = "2026-01-01",
    is_void: bool = False,
    steps: Sequence[str] = ("sink", "batch", "day"),
) -> None:
    """A result in the folder whose sink takes so long."""
    result = {"lines": lines, "steps": dict.fromkeys(steps), "capacity": {"sink": {"seconds_per_million": sink}}}
    made = {"is_void": is_void, "measured_at": at, "result": result}
    (folder / f"{name}.json").write_text(json.dumps(made))


def test_a_file_that_is_no_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "batch.json").write_bytes(b"\xff{")
    with pytest.raises(Misconfigured, match=r"batch\.json"):
        measured_costs(tmp_path)


def test_the_results_of_this_project_hold_one_to_size_with() -> None:
    assert measured_costs(RESULTS)[1] != DECLARED_NOTE
