"""Judging a trial, and what the command says of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from concord.chaos.trial import Trial
from concord.cli.chaos import refuse_failure, row
from concord.errors import Disagreement, Unavailable

GOOD = Trial(1, "broker", datetime(2026, 1, 1, 12, 0, 5, tzinfo=UTC), "9 records", 60.0, 14.25, records=100)
WRONG = [
    replace(GOOD, lost=1),
    replace(GOOD, duplicated=2),
    replace(GOOD, ledger=["stored: 1 records, 2 expected"]),
    replace(GOOD, views=["activity_minutes: 3 rows"]),
    replace(GOOD, sessions=["session x: is not there"]),
    replace(GOOD, wrong=["second driver: exit code 0"]),
]


def test_a_trial_in_which_nothing_differs_is_right_and_in_time():
    assert (GOOD.is_right, GOOD.is_in_time) == (True, True)
    refuse_failure(7, [GOOD])


@pytest.mark.parametrize("trial", WRONG)
def test_anything_that_differs_makes_it_wrong_and_fails_the_command(trial):
    assert not trial.is_right
    with pytest.raises(Disagreement, match="seed 7: 1 of 2 trials wrong"):
        refuse_failure(7, [GOOD, trial])


@pytest.mark.parametrize("seconds", [60.1, None])
def test_a_slow_recovery_is_right_and_still_fails_the_command(seconds):
    slow = replace(GOOD, recovery_seconds=seconds)
    assert (slow.is_right, slow.is_in_time) == (True, False)
    with pytest.raises(Unavailable, match="seed 7: not fresh again in time: broker"):
        refuse_failure(7, [slow, GOOD])


def test_a_wrong_trial_weighs_more_than_a_slow_one():
    with pytest.raises(Disagreement):
        refuse_failure(7, [replace(GOOD, recovery_seconds=None), WRONG[0]])


def test_a_row_says_when_what_was_in_flight_how_soon_and_how_it_ended():
    assert row(GOOD) == ("broker", "12:00:05", "9 records", "14.2 s of 60 s", 0, 0, 0, 0, "right")
    slow = row(replace(GOOD, recovery_seconds=None, views=["a", "b"], lost=3))
    assert slow[3:] == ("not, of 60 s", 3, 0, 2, 0, "wrong")
    assert row(replace(GOOD, recovery_seconds=None))[-1] == "right, too slow"


def test_the_document_has_the_verdict_and_every_difference():
    said = WRONG[3].document()
    assert (said["is_right"], said["views"], said["at"]) == (
        False, ["activity_minutes: 3 rows"], "2026-01-01T12:00:05.000+00:00")  # fmt: skip
