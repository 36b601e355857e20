"""Java keeps the classes of one session for the next."""

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


def test_the_second_session_has_the_classes_of_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWO_SESSIONS, str(tmp_path / "classes")]
    done = subprocess.run(command, cwd=PROJECT, env=child_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["False", "True"]
    assert len(list((tmp_path / "classes").glob("spark-*.jsa"))) == 1
