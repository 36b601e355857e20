"""Every command explains itself, and shells can complete it."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from concord.cli import COMMANDS, app
from concord.errors import ExitCode

PROGRAM = str(Path(sys.executable).with_name("concord"))


def run(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [PROGRAM, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def completed(concord, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What a shell would offer for the last of some words."""

    def offered(words: str) -> list[str]:
        monkeypatch.setenv("_CONCORD_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        return concord().out.split()

    return offered


def subcommands(name: str) -> list[str]:
    command = typer.main.get_command(app).get_command(None, name)
    return list(getattr(command, "commands", {}))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(concord, name):
    for arguments in ([name], *([name, part] for part in subcommands(name))):
        ended = concord(*arguments, "--help")
        assert ended.code == ExitCode.OK
        assert f"Usage: concord {' '.join(arguments)}" in ended.out


def test_a_shell_is_offered_every_command(completed):
    assert completed("concord ") == list(COMMANDS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("concord batch ", {"run", "list", "verify", "docs", "metrics"}),
        ("concord logs --f", {"--follow"}),
        ("concord logs ka", {"kafka"}),
    ],
)
def test_a_shell_is_offered_subcommands_options_and_engines(completed, words, offered):
    assert set(completed(words)) == offered


def test_completion_can_be_installed(tmp_path):
    script = run("--show-completion", "bash")
    assert "_CONCORD_COMPLETE=complete_bash" in script
    run("--install-completion", "bash", HOME=str(tmp_path))
    installed = tmp_path / ".bash_completions" / "concord.sh"
    assert installed.read_text().strip() == script.strip()
    assert str(installed) in (tmp_path / ".bashrc").read_text()


def test_version_is_that_of_the_package() -> None:
    assert run("--version").split() == ["concord", version("concord")]
