"""One driver per checkpoint, and none before the last one's Java machine is gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from concord.errors import Misconfigured
from concord.speed.lease import lease


def test_a_second_driver_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    with lease(tmp_path), pytest.raises(Misconfigured, match=f"process {os.getpid()} holds"), lease(tmp_path):
        pass


def test_the_lease_is_free_again_after_its_end(tmp_path: Path) -> None:
    for _ in range(2):
        with lease(tmp_path):
            pass


def test_a_driver_that_was_killed_leaves_no_lease(tmp_path: Path) -> None:
    body = f"from pathlib import Path; from concord.speed.lease import lease\nwith lease(Path({str(tmp_path)!r})): 1/0"
    subprocess.run([sys.executable, "-c", body], check=False, stderr=subprocess.DEVNULL)

    with lease(tmp_path):
        assert json.loads((tmp_path / "lease").read_text())["pid"] == os.getpid()


def test_the_last_drivers_java_machine_is_outlived(tmp_path: Path) -> None:
    java = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"])
    with lease(tmp_path) as held:
        held.name_java(java.pid)

    with lease(tmp_path):
        assert not psutil.pid_exists(java.pid) or psutil.Process(java.pid).status() == psutil.STATUS_ZOMBIE
    java.wait()


def test_another_process_under_the_same_number_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "lease").write_text(json.dumps({"pid": 1, "java": {"pid": os.getpid(), "started": 0.0}}))

    with lease(tmp_path):
        pass
