"""What a step takes: seconds, CPU and memory of every process that works on it, this one left out."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from concord.bench.accounting import Accounts
from concord.bench.background import meanwhile
from concord.bench.own_stack import pids
from concord.settings import Settings

LOOK_SECONDS = 0.5
WEIGH_EVERY = 4
"""Looks: memory is weighed every two seconds."""
DBT_MODULE = "concord.batch.dbt_process"


@dataclass
class Took:
    """Filled when the step is over. Memory is summed PSS, at its highest together, and by engine at its own."""

    seconds: float = 0.0
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int = 0
    peak_bytes_by_engine: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return asdict(self)


@contextmanager
def metered(settings: Settings) -> Iterator[Took]:
    """Measures the block."""
    accounts, took = Accounts.of(working(settings)), Took()
    accounts.begin()
    started = time.monotonic()
    with meanwhile(lambda stop: _watch(accounts, lambda: working(settings), stop)):
        yield took
    took.seconds = time.monotonic() - started
    took.cpu_seconds = {name: round(used, 2) for name, used in accounts.seconds().items()}
    took.peak_bytes, took.peak_bytes_by_engine = accounts.peak_bytes, dict(accounts.peak_by_engine)


def _watch(accounts: Accounts, running: Callable[[], Mapping[str, int]], stop: threading.Event) -> None:
    looks = 0
    while not stop.is_set():
        accounts.follow(running())
        accounts.look()
        if looks % WEIGH_EVERY == 0:
            accounts.weigh()
        looks += 1
        stop.wait(LOOK_SECONDS)


def working(settings: Settings) -> dict[str, int]:
    """The engines, and what this process has started itself: Spark's Java machine and dbt."""
    return {**pids(settings), **{_job(child): child.pid for child in _children() if _job(child)}}


def _children() -> list[psutil.Process]:
    try:
        return psutil.Process(os.getpid()).children()
    except psutil.Error:
        return []


def _job(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        if process.name() == "java":
            return "spark"
        if DBT_MODULE in process.cmdline():
            return "dbt"
    return ""
