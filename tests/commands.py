"""Concord's commands as a user gives them: each a process of its own."""

import json
import subprocess
import sys
from typing import Any

from concord.settings import PROJECT, child_environment

PATIENCE_SECONDS = 600


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "concord", *arguments]


def answer(*arguments: str) -> Any:
    """The document that a command prints with ``--json``; one that fails shows the end of what it said."""
    done = subprocess.run(
        command(*arguments, "--json"),
        cwd=PROJECT,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
