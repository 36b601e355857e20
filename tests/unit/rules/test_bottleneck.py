"""The bottleneck in words."""

import pytest

from concord.rules.bottleneck import INSERTS, WORDS, Part, bottleneck, of_hops
from concord.rules.hop_costs import Hop, HopCost

BATCH = {"plan": 0.05, "read": 0.4, "store": 0.3, "position": 0.02, "checkpoint": 0.03}


def test_an_easy_batch_has_no_bottleneck_but_a_longest_part() -> None:
    assert bottleneck(BATCH, 2) == f"none: a micro-batch takes 40% of its trigger; longest (0.40 s) {WORDS['read']}"


@pytest.mark.parametrize(("trigger", "verdict"), [(1.6, "none"), (1.0, "close"), (0.8, "close"), (0.5, "too slow")])
def test_the_verdict_is_the_share_of_the_trigger(trigger: float, verdict: str) -> None:
    assert bottleneck(BATCH, trigger).startswith(f"{verdict}: ")


@pytest.mark.parametrize("part", Part)
def test_the_longest_part_is_named(part: Part) -> None:
    assert bottleneck({**BATCH, part: 5.0}, 2).endswith(WORDS[part])


def test_storing_is_clickhouse_if_most_of_it_was_spent_there() -> None:
    assert bottleneck({"store": 1.0}, 2, clickhouse_seconds=0.6).endswith(INSERTS)
    assert bottleneck({"store": 1.0}, 2, clickhouse_seconds=0.4).endswith(WORDS["store"])


def test_without_a_batch_nothing_comes_in() -> None:
    assert bottleneck({}, 2) == "nothing comes in"


COSTS = {
    Hop.BROKER: HopCost(4.0, 0.0),
    Hop.SPARK: HopCost(30.0, 0.0, serial_us_per_event=20.0),
    Hop.CLICKHOUSE: HopCost(16.0, 0.0),
}


def test_cores_that_all_hops_share_end_before_any_hop_alone() -> None:
    said = of_hops(COSTS, cores=2)
    assert said.startswith("the 2 cores that all hops share: at 50.0 µs per event they carry 40,000 events/s")
    assert said.endswith("spark takes 60% of it")


def test_with_more_cores_the_task_that_cannot_be_shared_ends_first() -> None:
    assert of_hops(COSTS, cores=8) == "spark: one task of it carries 50,000 events/s, however many cores there are"
