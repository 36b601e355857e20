"""Capacity is arithmetic on what was measured: every figure can be done again by hand."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.errors import Misconfigured
from concord.rules.capacity import capacity
from concord.rules.hop_costs import DECLARED, MIB, Hop, HopCost, hop_costs
from concord.rules.sizing import GIB, Demand, Sizing

DEMAND = Demand(events_per_second=20_000, event_bytes=424, kafka_days=7, clickhouse_days=30, trigger_seconds=2)
COSTS = {
    Hop.BROKER: HopCost(cpu_us_per_event=10, memory_bytes=500 * MIB),
    Hop.SPARK: HopCost(cpu_us_per_event=45, memory_bytes=1000 * MIB, memory_bytes_per_event=2000),
    Hop.CLICKHOUSE: HopCost(cpu_us_per_event=12, memory_bytes=300 * MIB, memory_bytes_per_event=1000),
}
SIZING = Sizing(kafka_share=0.5, clickhouse_compression=4)


def test_cores_are_the_events_cpu_and_room_beside_it() -> None:
    broker, spark, clickhouse = capacity(DEMAND, COSTS, SIZING).hops

    # 20,000 × 45 µs are 0.9 cores; at 60 % of each it takes 1.5, so one executor of 2.
    assert (broker.cores, spark.cores, clickhouse.cores) == (1, 2, 1 + SIZING.query_cores)


def test_executors_and_partitions_follow_the_cores() -> None:
    answer = capacity(replace(DEMAND, events_per_second=100_000), COSTS, SIZING)

    # 4.5 cores at 60 % are 7.5, so 4 executors of 2; 42.4 MB/s would fit into 5 partitions of 10 MB/s.
    assert (answer.executors, answer.partitions) == (4, 8)


def test_large_events_bring_partitions_in_multiples_of_the_cores() -> None:
    answer = capacity(replace(DEMAND, event_bytes=5_000), COSTS, SIZING)

    assert (answer.executors, answer.partitions) == (1, 10)


def test_a_topic_has_no_fewer_partitions_than_are_declared() -> None:
    assert capacity(replace(DEMAND, events_per_second=1), COSTS, SIZING).partitions == 4


def test_memory_is_what_rests_and_what_is_in_flight() -> None:
    broker, spark, clickhouse = capacity(DEMAND, COSTS, SIZING).hops

    assert broker.memory_bytes == 500 * MIB + 20_000 * 424 * 0.5 * 300
    assert spark.memory_bytes == 2 * 1000 * MIB + 40_000 * 2000
    assert clickhouse.memory_bytes == 300 * MIB + 40_000 * 1000 + 2 * GIB


def test_disks_hold_the_days_and_are_not_filled_to_the_brim() -> None:
    answer = capacity(DEMAND, COSTS, SIZING)
    raw_per_day = 20_000 * 86_400 * 424

    assert answer.kafka_disk.bytes_per_day == raw_per_day / 2
    assert answer.kafka_disk.kept_bytes == raw_per_day / 2 * 7
    assert answer.clickhouse_disk.bytes_per_day == raw_per_day / 4
    assert answer.clickhouse_disk.provided_bytes == pytest.approx(raw_per_day / 4 * 30 / 0.7)


def test_copies_cost_disk_and_network() -> None:
    one, three = capacity(DEMAND, COSTS, SIZING), capacity(DEMAND, COSTS, replace(SIZING, replicas=3))
    wire = 20_000 * 424 * 0.5

    assert three.kafka_disk.kept_bytes == 3 * one.kafka_disk.kept_bytes
    assert (one.network.broker_in, one.network.broker_out) == (wire, 2 * wire)
    assert (three.network.broker_in, three.network.broker_out) == (3 * wire, 4 * wire)


def test_the_hop_with_the_lowest_limit_breaks_first() -> None:
    answer = capacity(DEMAND, COSTS, SIZING)

    assert answer.breaks_first.hop is Hop.SPARK
    assert answer.breaks_first.breaks_at_per_second == pytest.approx(2e6 / 45)
    assert answer.cpu_us_per_event == 67
    assert answer.is_enough


def test_the_dashboards_core_does_not_count_for_what_clickhouse_can_take_in() -> None:
    clickhouse = capacity(DEMAND, COSTS, SIZING).hops[-1]

    assert clickhouse.breaks_at_per_second == pytest.approx(1e6 / 12)


def test_a_serial_task_is_a_limit_that_no_cores_lift() -> None:
    costs = {**COSTS, Hop.SPARK: replace(COSTS[Hop.SPARK], serial_us_per_event=20)}
    answer = capacity(replace(DEMAND, events_per_second=60_000), costs, SIZING)

    assert (answer.breaks_first.is_serial, answer.breaks_first.breaks_at_per_second) == (True, 50_000)
    assert not answer.is_enough


@given(rate=st.floats(0.001, 1e9), growth=st.floats(1, 100))
def test_more_events_never_need_less(rate: float, growth: float) -> None:
    less = capacity(replace(DEMAND, events_per_second=rate), COSTS, SIZING)
    more = capacity(replace(DEMAND, events_per_second=rate * growth), COSTS, SIZING)

    assert less.is_enough
    assert more.executors >= less.executors
    assert all(
        m.cores >= n.cores and m.memory_bytes >= n.memory_bytes for m, n in zip(more.hops, less.hops, strict=True)
    )
    assert more.partitions % (more.executors * more.cores_per_executor) == 0


# --- what a benchmark says ---


def test_a_benchmark_replaces_what_it_measured_and_nothing_else() -> None:
    costs = hop_costs({"hops": {"spark": {"cpu_us_per_event": 40.5, "rows": 3}, "connect": {"cpu_us_per_event": 1}}})

    assert costs[Hop.SPARK] == replace(DECLARED[Hop.SPARK], cpu_us_per_event=40.5)
    assert costs[Hop.BROKER] == DECLARED[Hop.BROKER]


@pytest.mark.parametrize("document", [None, [], {}, {"hops": None}, {"hops": []}])
def test_a_benchmark_without_hops_is_refused(document: Any) -> None:
    with pytest.raises(Misconfigured, match="hops"):
        hop_costs(document)


@pytest.mark.parametrize("value", [0, -1, "12", None, True, float("nan"), float("inf")])
def test_a_wrong_cost_names_hop_and_field(value: Any) -> None:
    with pytest.raises(Misconfigured, match=r"hops\.spark\.cpu_us_per_event"):
        hop_costs({"hops": {"spark": {"cpu_us_per_event": value}}})


def test_a_hop_that_is_no_object_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"hops\.clickhouse"):
        hop_costs({"hops": {"clickhouse": 12}})
