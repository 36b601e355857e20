"""Apache Flink SQL on the same topic: parse, deduplication by event id, sessions of 30 minutes by device.

PyFlink pins packages that Concord cannot share, so it is installed into an environment of its own the first time it
is asked for. Where that fails, the command and its error are the result.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from concord import bootstrap
from concord.bench.accounting import Accounts
from concord.bench.own_stack import pids
from concord.bench.ranges import Since
from concord.errors import Unavailable
from concord.platform import installed
from concord.platform.install import folders, jar_sets
from concord.platform.install.progress import Downloads
from concord.provision import ENGINES
from concord.settings import Settings, child_environment

VERSION = "2.3.0"
JAR_SET = "flink"
RECORDS = 1_000_000
"""It reads no more of a backlog of millions, for which it would take the longest time of a run here."""
SCRIPT = ENGINES / "flink" / "peer.py"
STATEMENTS = ENGINES / "flink" / "sessions.sql"
INSTALL_SECONDS, RUN_SECONDS = 900, 900
SHOWN_LINES = 12
LOOK_SECONDS = 1.0


def drained(settings: Settings, since: Since) -> dict[str, Any]:
    """Drain the run's first records; records a second and CPU per record, Flink's start apart."""
    environment = _environment(settings)
    jar = _connector(settings)
    ends = since.ends_within(bootstrap.kafka(settings).end_position([since.topic]), RECORDS)
    records = sum(ends) - sum(since.starts)
    words = {
        "brokers": settings.kafka.bootstrap,
        "topic": since.topic,
        "from": _offsets(since.starts),
        "to": _offsets(ends),
    }
    accounts = Accounts.of({"kafka": pids(settings)["kafka"]})
    accounts.begin()
    started = time.monotonic()
    said = _run(environment, jar, words, accounts)
    cpu = accounts.seconds()
    return {
        "guarantee": "exactly once inside Flink; its result is counted, not stored",
        "lacks": "validation against the contract, dead letters, tiers, funnels, tables to ask",
        "versions": {"apache-flink": VERSION, "connector": jar.name},
        "records": records,
        "seconds": said["seconds"],
        "seconds_with_start": time.monotonic() - started,
        "records_per_second": records / said["seconds"],
        "sessions": said["sessions"],
        "events_in_sessions": said["events"],
        "cpu_us_per_event": sum(cpu.values()) / records * 1e6,
        "cpu_us_per_event_by_engine": {name: used / records * 1e6 for name, used in cpu.items()},
        "memory_peak_bytes": accounts.peak_bytes,
    }


def _environment(settings: Settings) -> Path:
    """The Python of PyFlink's own environment. Raises :class:`Unavailable` with the command that failed."""
    folder = settings.cache / "bench" / f"flink-{VERSION}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        _ran([sys.executable, "-m", "venv", str(folder)], INSTALL_SECONDS)
        _ran([str(python), "-m", "pip", "install", "--quiet", f"apache-flink=={VERSION}"], INSTALL_SECONDS)
        done.touch()
    return python


def _connector(settings: Settings) -> Path:
    """Flink's Kafka connector with all it needs, in one jar whose hash is locked."""
    with folders.one_at_a_time(settings.cache, lambda: None), Downloads(Console(stderr=True)) as downloads:
        jar_sets.install(settings, JAR_SET, downloads)
    return installed.jars(settings, JAR_SET)[0]


def _offsets(offsets: Sequence[int]) -> str:
    """As Flink's Kafka connector writes them."""
    return ";".join(f"partition:{number},offset:{offset}" for number, offset in enumerate(offsets))


def _run(python: Path, jar: Path, words: Mapping[str, str], accounts: Accounts) -> Mapping[str, Any]:
    """One Flink job in one process: started, watched, and what it says at its end."""
    command = [str(python), str(SCRIPT), str(jar), str(STATEMENTS), json.dumps(words)]
    environment = child_environment(JAVA_HOME=str(installed.java_home()))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    accounts.follow({"flink": process.pid})
    try:
        said = _watched(process, accounts)
    finally:
        _end(process)
    answer = said.strip().splitlines()[-1] if said.strip() else ""
    if process.returncode != 0 or not answer.startswith("{"):
        raise Unavailable(" ".join(command[:2]) + " failed", "\n".join(said.splitlines()[-SHOWN_LINES:]))
    parsed: Mapping[str, Any] = json.loads(answer)
    return parsed


def _watched(process: "subprocess.Popen[str]", accounts: Accounts) -> str:
    """All it says; its CPU and memory are taken down meanwhile."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        accounts.look()
        accounts.weigh()
        try:
            return process.communicate(timeout=LOOK_SECONDS)[0]
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise Unavailable(f"Flink is not done after {RUN_SECONDS} s") from None


def _end(process: "subprocess.Popen[str]") -> None:
    """Java too, which the Python program has started."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _ran(command: Sequence[str], seconds: float) -> str:
    """What the command printed. Raises :class:`Unavailable` with the command and the end of its error."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(command)}: {error}") from None
    if done.returncode != 0:
        raise Unavailable(" ".join(command), "\n".join((done.stdout + done.stderr).splitlines()[-SHOWN_LINES:]))
    return done.stdout
