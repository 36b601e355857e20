"""Which bounds count for which run, and what is reached."""

import pytest

from concord.bench import targets
from concord.bench.targets import Target
from tests.unit.bench.documents import backlog, figures, paced


def verdicts(result):
    return {target.name.split(",")[0]: target.verdict for target in targets.of_paced(result)}


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(9, False, "missed"), (10, False, "reached"), (20, False, "aim reached"),
     (21, True, "missed"), (20, True, "reached"), (10, True, "aim reached")],
)  # fmt: skip
def test_a_bound_is_reached_from_its_own_side(value, at_most, verdict):
    required, aimed = (20, 10) if at_most else (10, 20)
    assert Target("x", value, "s", required, aimed, at_most).verdict == verdict
    assert Target("x", value, "s", required, aimed, at_most, holds=False).verdict == "missed"


def test_what_is_only_aimed_at_is_never_required():
    assert Target("x", 1, "s", aimed=2).verdict == "aim missed"
    assert Target("x", 1, "s").verdict == ""
    assert Target("x", 2.0, "s", 2.5, at_most=True, digits=2).cells == ("x", "2.00 s", "≤ 2.5", "", "reached")


def test_ten_minutes_at_the_rate_are_judged():
    assert verdicts({"beside": "nothing", "paced": paced()}) == {
        "sustained for 600 s": "reached",
        "fresh after": "reached",
        "CPU of the speed layer": "reached",
        "memory of the speed layer": "reached",
    }


@pytest.mark.parametrize(
    ("beside", "run"),
    [("nothing", paced(seconds=300)), ("nothing", paced(rate=10_000)), ("all", paced(seconds=300)),
     ("nothing", paced(burst={"factor": 5.0, "seconds": 30.0}))],
)  # fmt: skip
def test_a_run_of_another_kind_has_figures_without_verdict(beside, run):
    assert set(verdicts({"beside": beside, "paced": run}).values()) == {""}


@pytest.mark.parametrize(
    ("beside", "run", "verdict"),
    [
        ("nothing", paced(grows=True), "missed"),
        ("nothing", paced(rate=40_000), "aim reached"),
        ("nothing", paced(rate=40_000, grows=True), "aim missed"),
        ("all", paced(), "aim reached"),
        ("all", paced(grows=True), "aim missed"),
    ],
)
def test_a_rate_is_sustained_if_the_lag_stays(beside, run, verdict):
    result = {"beside": beside, "paced": run}
    found = verdicts(result)
    assert found.pop("sustained for 600 s") == verdict
    is_reference = beside == "nothing" and run["per_second_intended"] == targets.RATE
    assert targets.is_reference(result) == is_reference
    assert set(found.values()) == ({"reached"} if is_reference else {""})


def test_a_lag_that_stays_holds_the_intended_rate_however_the_last_look_fell():
    flow = {"held_per_second": 19_980.0, "is_flat": True, "largest_lag": 1}
    assert verdicts({"beside": "nothing", "paced": paced(flow=flow)})["sustained for 600 s"] == "reached"


def test_a_drain_is_judged_with_and_without_its_start():
    without, with_start, *others = targets.of_backlog(backlog())
    assert (without.value, without.verdict) == (54_000, "reached")
    assert (with_start.value, with_start.verdict) == (49_000, "missed")
    assert {target.verdict for target in others} == {""}
    assert {target.verdict for target in targets.of_backlog(backlog(records=300_000))} == {""}
    assert len(targets.of_backlog(backlog(records_per_second=None))) == len(others) + 1


def test_memory_is_the_speed_layers_own_where_others_work_beside_it():
    peaks = {"kafka": 1e9, "clickhouse": 1e9, "speed": 5e9, "connect": 4e9}
    [memory] = [
        target
        for target in targets.of_backlog(backlog(**figures(memory_peak_bytes=11e9, memory_peak_bytes_by_engine=peaks)))
        if "memory" in target.name
    ]
    assert memory.value == 7


def answers(events, p95, p99):
    ms = {"p50": 1.0, "p95": p95, "p99": p99, "p100": 2_000.0}
    return {"rows_before": {"events": events}, "answers": {"by_question": {"revenue": {"ms": ms}}, "all_ms": ms}}


def test_questions_are_judged_each_and_together_on_a_large_history():
    found = targets.of_answers(answers(50_000_000, 120.0, 1_001.0))
    assert {name: [each.verdict for each in both] for name, both in found.items()} == {
        "revenue": ["reached", "missed"],
        "all": ["reached", "missed"],
    }
    small = targets.of_answers(answers(1_000_000, 120.0, 1_001.0))
    assert {each.verdict for both in small.values() for each in both} == {""}


def test_hops_alone_have_bounds_of_their_own():
    kafka = targets.of_hop({"produce": {"per_second": 200_000.0}, "consume": {"per_second": 99_000.0}})
    assert [target.verdict for target in kafka] == ["reached", "missed"]
    [alone] = targets.of_hop({"table_alone": {"rows_per_second": 200_000.0}})
    assert alone.verdict == "reached"


@pytest.mark.parametrize(
    ("took", "is_right", "verdict"), [(30.0, True, "reached"), (30.1, True, "missed"), (None, True, "missed"),
                                      (1.0, False, "missed")],
)  # fmt: skip
def test_a_fault_is_over_in_time_if_nothing_is_wrong(took, is_right, verdict):
    trial = {"fault": "idle", "fresh_within_seconds": 30.0, "recovery_seconds": took, "is_right": is_right}
    assert targets.of_trial(trial).verdict == verdict
