"""``concord logs``: the right files, and new lines as they come."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from concord.errors import ExitCode
from concord.platform.catalogue import STORES
from tests.waiting import eventually


@pytest.fixture
def kafka_log(home: Path) -> Path:
    log = home / "logs" / "kafka.log"
    log.parent.mkdir(parents=True)
    log.write_text("one\ntwo\nthree\n")
    return log


def run(*arguments: str) -> str:
    return subprocess.run([sys.executable, "-m", "concord", *arguments], capture_output=True, text=True).stdout


def test_an_engine_that_does_not_exist_is_named_with_those_that_do(concord):
    ended = concord("logs", "kafkaesque")
    assert ended.code == ExitCode.MISCONFIGURED
    assert "there is no engine kafkaesque" in ended.err
    assert all(name in ended.err for name in STORES)


def test_an_engine_that_never_ran_has_no_log(concord, kafka_log):
    ended = concord("logs", "postgres")
    assert ended.code == ExitCode.MISCONFIGURED
    assert f"no log of postgres in {kafka_log.parent}" in ended.err


def test_the_last_lines_are_shown(kafka_log):
    assert run("logs", "kafka", "-n", "2") == "two\nthree\n"


def test_new_lines_are_shown_as_they_come_until_an_interrupt(kafka_log, tmp_path):
    shown = tmp_path / "shown"
    with (
        shown.open("w") as out,
        subprocess.Popen(
            [sys.executable, "-m", "concord", "logs", "kafka", "-f"],
            stdout=out,
            # A shell has its background jobs ignore interrupts, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):
        try:
            eventually(lambda: "three" in shown.read_text())
            with kafka_log.open("a") as log:
                log.write("four\n")
            eventually(lambda: "four" in shown.read_text())
        finally:
            os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == -signal.SIGINT  # 130 to a shell
