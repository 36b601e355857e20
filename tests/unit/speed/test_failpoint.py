"""Where a drill kills the driver."""

import signal
import subprocess
import sys

import pytest

from concord.speed.failpoint import FILE, REACHED

QUERY = "speed.events"


def died(named="", armed=None, step="events_stored"):
    """Whether a process that reaches the step is killed there."""
    script = f"""
from pathlib import Path
from concord.speed.failpoint import Failpoint, Step
Failpoint({named!r}, {armed and f"Path({str(armed)!r})"}).reached(Step({step!r}), {QUERY!r})
"""
    return subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("named", ["events_stored", f"{QUERY}:events_stored"])
def test_the_named_step_kills(named):
    assert died(named)


@pytest.mark.parametrize("named", ["", "batch_open", "speed.changes:events_stored"])
def test_no_other_step_does(named):
    assert not died(named)


def test_a_file_kills_once(tmp_path):
    file = tmp_path / FILE
    file.write_text(f"{QUERY}:events_stored\n")
    assert not died(armed=file, step="batch_open")
    assert died(armed=file)
    assert not died(armed=file)
    assert (tmp_path / REACHED).read_text().strip() == f"{QUERY}:events_stored"


def test_a_worker_takes_the_driver_with_it():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as driver:
        script = f"from concord.speed.failpoint import *; Failpoint('batch_open', driver={driver.pid})"
        subprocess.run([sys.executable, "-c", f"{script}.reached(Step.BATCH_OPEN, 'q')"], check=False)
        assert driver.wait(30) == -signal.SIGKILL
