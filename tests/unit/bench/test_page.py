"""The page of results."""

from datetime import UTC, datetime

from concord.bench.page import section
from concord.chaos.trial import Trial

AT = datetime(2026, 1, 1, tzinfo=UTC)
SETTING = {
    "name": "chaos",
    "command": "concord chaos speed",
    "measured_at": "2026-01-01T00:00:00+00:00",
    "is_void": False,
    "checks": {"compared": "everything", "differences": []},
    "machine": {"cores": 2, "cpu": "some", "memory_bytes": 1 << 34, "system": "Linux"},
    "load_before": {"load_1m": 0.0, "load_5m": 0.0, "busy_percent": 0.0},
    "hops": {},
}


def test_each_trial_of_faults_is_a_row() -> None:
    well = Trial(1, "driver", AT, "killed inside micro-batch 4", 60, recovery_seconds=13.25, records=1_000)
    never = Trial(2, "burst", AT, "five times the rate", 30, records=2_000, lost=3)
    text = section({**SETTING, "result": {"seed": 1, "trials": [well.document(), never.document()]}})

    assert "| driver | killed inside micro-batch 4 | 1,000 | 0 | 0 | 13.2 s | 60 s |" in text
    assert "| burst | five times the rate | 2,000 | 3 | 0 | not while there was load | 30 s |" in text
    assert "trials.0" not in text
