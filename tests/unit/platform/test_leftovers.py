"""Processes that outlived their supervisor, found by the very command they were started with."""

import subprocess
import sys
import time

import psutil

from concord.platform import leftovers

FOREVER = "import time; time.sleep(600)"


def test_a_process_with_an_engines_command_is_ended_and_others_are_left() -> None:
    ours = subprocess.Popen([sys.executable, "-c", FOREVER, "ours"])
    other = subprocess.Popen([sys.executable, "-c", FOREVER, "other"])
    try:
        leftovers.end([(sys.executable, "-c", FOREVER, "ours")])
        assert not psutil.pid_exists(ours.pid)
        assert other.poll() is None
    finally:
        ours.kill()
        other.kill()


def test_the_family_of_a_process_are_it_and_all_below_it() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {FOREVER!r}])"]
    )
    try:
        deadline = time.monotonic() + 30
        while len(family := leftovers.family([parent.pid])) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert family[0].pid == parent.pid
        assert len(family) == 2
    finally:
        for member in psutil.Process(parent.pid).children(recursive=True):
            member.kill()
        parent.kill()
