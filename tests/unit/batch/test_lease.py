import os
from pathlib import Path

import pytest

from concord.batch.lease import lease
from concord.errors import Unavailable


def test_second_batch_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    with lease(tmp_path), pytest.raises(Unavailable, match=f"process {os.getpid()}"), lease(tmp_path):
        pass


def test_lease_can_be_taken_again_after_it_was_given_back(tmp_path: Path) -> None:
    with lease(tmp_path):
        pass
    with lease(tmp_path):
        pass


def test_two_maintenances_exclude_each_other_and_not_a_batch(tmp_path: Path) -> None:
    with lease(tmp_path, "maintenance"), lease(tmp_path):
        refused = pytest.raises(Unavailable, match=f"another maintenance is being run by process {os.getpid()}")
        with refused, lease(tmp_path, "maintenance"):
            pass
