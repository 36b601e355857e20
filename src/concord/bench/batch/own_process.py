"""Work in a process of its own, and what it takes from its first line to its last."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psutil

from concord.errors import Unavailable
from concord.platform.states import memory_bytes

WEIGH_SECONDS = 0.2


@dataclass(frozen=True)
class Spent:
    """CPU is the process's and its children's, memory their PSS at its highest; imports before the work do not count."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def apart(name: str, work: Callable[..., None], *arguments: Any) -> Spent:
    """Carry it out. Raises :class:`Unavailable` if it ends otherwise than by its end."""
    context = multiprocessing.get_context("spawn")
    answer, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_timed, args=(theirs, work, arguments), name=name)
    process.start()
    theirs.close()
    peak = 0
    while not answer.poll(WEIGH_SECONDS):
        peak = max(peak, memory_bytes(int(process.pid or 0)))
    try:
        seconds, cpu = answer.recv()
    except EOFError:
        raise Unavailable(f"{name} ended without an answer", "see its last lines above") from None
    finally:
        process.join()
    return Spent(seconds, cpu, peak)


def _timed(answer: Connection, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    started, idle = time.monotonic(), _cpu_seconds()
    work(*arguments)
    answer.send((time.monotonic() - started, _cpu_seconds() - idle))


def _cpu_seconds() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
