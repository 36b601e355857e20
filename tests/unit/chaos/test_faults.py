"""The registry of faults, and drawing from it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.chaos.faults import DATA_SECONDS, FAULTS, PROCESS_SECONDS, NoSuchFault, chosen, drawn
from concord.errors import ExitCode
from concord.speed.failpoint import Step


def test_the_driver_can_be_killed_at_every_step():
    assert {f"driver-at-{step.replace('_', '-')}" for step in Step} <= set(FAULTS)


def test_driver_and_broker_have_a_minute_and_everything_else_half_of_it():
    within = {name: fault.fresh_within_seconds for name, fault in FAULTS.items()}
    slow = {name for name, seconds in within.items() if seconds == PROCESS_SECONDS}
    assert slow == {name for name in FAULTS if name.split("-")[0] in ("driver", "broker")}
    assert {seconds for name, seconds in within.items() if name not in slow} == {DATA_SECONDS}


def test_all_are_chosen_if_none_is_named_and_one_named_twice_is_one():
    assert chosen([]) == list(FAULTS.values())
    assert chosen(["idle", "broker", "idle"]) == [FAULTS["idle"], FAULTS["broker"]]


def test_an_unknown_fault_is_refused_by_name():
    with pytest.raises(NoSuchFault, match="'meteor'") as refused:
        chosen(["idle", "meteor"])
    assert refused.value.exit_code is ExitCode.USAGE
    assert "broker" in refused.value.hint


@given(seed=st.integers(), trials=st.integers(1, 60))
def test_each_is_drawn_once_before_any_comes_again(seed, trials):
    faults = chosen(["broker", "idle", "burst", "driver"])
    found = drawn(faults, seed, trials)
    assert len(found) == trials
    counts = Counter(fault.name for fault in found)
    assert max(counts.values()) - min(counts[fault.name] for fault in faults) <= 1


def test_the_seed_decides():
    faults = chosen([])
    assert drawn(faults, 1, 40) == drawn(faults, 1, 40)
    assert drawn(faults, 1, 40) != drawn(faults, 2, 40)
