"""What is sent while a fault strikes, and when."""

import pytest

from concord.bench.recorded import Fate, read
from concord.chaos.faults import FAULTS
from concord.chaos.load import Kind, Leg, Pace, Recordings, Timeline, timetable

START = 1_700_000_000.0
PACE = Pace(per_second=100, calm_seconds=10, phase_seconds=5, away_seconds=7, idle_seconds=60, patience_seconds=20)


def timeline(legs):
    return Timeline([schedule for _, schedule in timetable(legs, START)])


def test_a_leg_begins_where_the_one_before_it_ends():
    line = timeline([Leg(10, 100), Leg(5, 200, Kind.HOT), Leg(10, 100)])
    assert [line.meant_at(number) for number in (0, 500, 1000, 1200, 2000)] == [
        START, START + 5, START + 10, START + 11, START + 15]  # fmt: skip


def test_nothing_is_due_in_a_pause_and_what_follows_comes_after_it():
    line = timeline([Leg(10, 100), Leg(60, 0.0), Leg(10, 100)])
    assert [line.due(START + at) for at in (-1, 5, 10, 40, 70, 71)] == [0, 500, 1000, 1000, 1000, 1100]
    assert line.meant_at(1000) == START + 70


def test_beyond_the_last_record_the_load_has_ended():
    assert timeline([Leg(10, 100)]).meant_at(1000) == START + 10


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_load_before_it_or_with_it_and_until_patience_ends(name):
    legs = FAULTS[name].legs(PACE)
    assert sum(leg.seconds for leg in legs) >= PACE.calm_seconds + PACE.patience_seconds
    assert legs[0].per_second
    assert legs[-1].per_second == PACE.per_second


def test_a_burst_is_so_many_times_the_rate_and_a_phase_has_other_records():
    assert [leg.per_second for leg in FAULTS["burst"].legs(PACE)] == [100, 500, 100]
    assert [leg.kind for leg in FAULTS["poison-only"].legs(PACE)] == [Kind.ORDINARY, Kind.POISON, Kind.ORDINARY]
    assert FAULTS["poison-head"].legs(PACE)[0].kind is Kind.HEAD


def test_recordings_are_made_once_and_are_what_they_are_called(tmp_path):
    told = []
    recordings = Recordings(tmp_path, size=1_000, say=told.append)
    fates = {kind: set(read(recordings.file(kind)).rows["fate"].to_pylist()) for kind in Kind}
    assert fates[Kind.POISON] == fates[Kind.HEAD] == {Fate.DEAD}
    assert fates[Kind.ORDINARY] == fates[Kind.HOT] == set(Fate)
    assert len(told) == len(Kind)
    recordings.file(Kind.HOT)
    assert len(told) == len(Kind)


def test_each_part_has_a_run_of_its_own(tmp_path):
    timed = timetable(FAULTS["poison-head"].legs(PACE), START)
    parts = Recordings(tmp_path, size=1_000).parts(timed, run=70)
    assert [part.run for part in parts] == [70, 71]
