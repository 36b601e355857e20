"""A session after another: Java keeps its classes for the next, and may have been killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from concord.settings import PROJECT, child_environment

pytestmark = pytest.mark.integration

TWO_SESSIONS = """
import sys
from pathlib import Path
from concord.gateways.spark import classes, end_session, java_pid, spark_session

classes.FOLDER = Path(sys.argv[1])
for _ in range(2):
    session = spark_session("test-classes", "local[1]", "512m", leaves_classes=True)
    assert session.range(10).count() == 10
    print(str(classes.FOLDER / "spark-") in Path(f"/proc/{java_pid(session)}/maps").read_text())
    end_session(session)
"""
"""Each says whether it has an archive in memory. In a process of their own, for a process has one Java machine."""


KILLED = """
import os, signal
from concord.batch.spark_words import in_words
from concord.errors import Unavailable
from concord.gateways.spark import end_session, java_pid, spark_session

session = spark_session("test-killed", "local[1]", "512m")
os.kill(java_pid(session), signal.SIGKILL)
try:
    with in_words("count to ten", "nothing to be done"):
        session.range(10).count()
except Unavailable as error:
    print(error.message)
end_session(session)
session = spark_session("test-killed", "local[1]", "512m")
print(session.range(10).count())
end_session(session)
"""


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=child_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_second_session_has_the_classes_of_the_first(tmp_path: Path) -> None:
    assert run(TWO_SESSIONS, str(tmp_path / "classes")).split() == ["False", "True"]
    assert len(list((tmp_path / "classes").glob("spark-*.jsa"))) == 1


def test_a_java_machine_that_was_killed_is_said_and_the_next_session_starts() -> None:
    assert run(KILLED).splitlines() == ["Spark's Java machine ended before it could count to ten", "10"]
