"""When records are meant to be sent."""

import numpy as np
import pytest

from concord.bench.schedule import backlog, bursts, steady

START = 1_700_000_000_000


def test_records_of_a_steady_rate_are_evenly_apart():
    schedule = steady(100, 10, START)
    assert schedule.count == 1000
    assert schedule.intended_ms(np.array([0, 1, 999])).tolist() == [START, START + 10, START + 9990]


@pytest.mark.parametrize(("seconds", "due"), [(-1.0, 0), (0.0, 0), (2.5, 250), (99.0, 1000)])
def test_so_many_records_are_due(seconds, due):
    assert steady(100, 10, START).due(seconds) == due


def test_a_burst_is_in_the_middle_and_adds_its_records():
    schedule = bursts(100, 20, factor=5, burst_seconds=10, start_ms=START)
    assert schedule.count == 100 * 10 + 500 * 10
    assert schedule.due(5) == 500
    assert schedule.due(6) == 1000


def test_a_backlog_ends_now_and_is_not_waited_for():
    schedule = backlog(1000, 100, end_ms=START)
    assert not schedule.is_paced
    assert schedule.intended_ms(np.array([0])).tolist() == [START - 10_000]
