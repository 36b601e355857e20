"""Faults against the running speed layer, at a small rate: every record is accounted for, views and sessions are right."""

from pathlib import Path

import pytest

from concord.chaos.faults import FAULTS
from concord.chaos.load import Pace, Recordings
from concord.chaos.trial import Stage
from concord.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PACE = Pace(per_second=300, calm_seconds=4, phase_seconds=6, patience_seconds=240)


@pytest.mark.parametrize("fault", ["poison-head", "hot-key", "driver", "clickhouse"])
def test_nothing_is_lost_or_doubled(stack: Settings, tmp_path: Path, fault: str) -> None:
    trial = Stage(stack, Recordings(tmp_path, size=4_000), PACE, seed=1).run(1, FAULTS[fault])

    assert trial.differences == []
    assert (trial.lost, trial.duplicated) == (0, 0)
    assert trial.records > 0
    assert trial.proof
