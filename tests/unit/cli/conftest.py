"""The command line in this process, with a home and a cache of the test's own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from concord.cli import main
from concord.cli.output import console, errors


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Concord = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that is not there yet."""
    for name in ("home", "cache"):
        monkeypatch.setenv(f"CONCORD_{name.upper()}", str(tmp_path / name))
    return tmp_path / "home"


@pytest.fixture
def concord(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Concord:
    """``concord("logs", "kafka")`` runs it to its end."""
    for view in (console, errors):
        monkeypatch.setattr(view, "width", 1000)
    # Or under `python -m pytest` the program would take itself for that.
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["concord", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run
