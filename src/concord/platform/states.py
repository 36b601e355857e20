"""How each engine is, for ``status``, ``doctor`` and the tests."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from concord.platform.catalogue import engines
from concord.platform.engine import Engine
from concord.platform.supervisord import ABSENT, ProcessState, Supervisord
from concord.settings import Settings


class Health(StrEnum):
    """What can be said of an engine in one word."""

    OK = "ok"
    STARTING = "starting"
    """Its process runs and does not serve (yet, or any more)."""
    FAILED = "failed"
    """It ended again and again, and supervisord has given up."""
    STOPPED = "stopped"


@dataclass(frozen=True)
class EngineState:
    """One engine now. ``memory_bytes`` is proportional (PSS) over its whole process tree."""

    name: str
    is_stand_in: bool
    version: str
    ports: tuple[int, ...]
    health: Health
    pid: int | None
    memory_bytes: int | None
    uptime_seconds: int | None
    restarts: int
    """How often it ended unasked since supervisord started."""


def engine_states(settings: Settings) -> list[EngineState]:
    """Every engine of the profile, running or not."""
    supervisord = Supervisord(settings.home)
    processes = supervisord.states() if supervisord.is_running() else {}
    endings = _unasked_endings(supervisord.log) if processes else {}
    known = engines(settings)
    with ThreadPoolExecutor(max_workers=len(known)) as pool:
        return list(
            pool.map(
                lambda engine: _state(engine, processes.get(engine.name, ABSENT), endings.get(engine.name, 0)),
                known.values(),
            )
        )


def _state(engine: Engine, process: ProcessState, restarts: int) -> EngineState:
    is_running = process.is_running and process.pid > 0
    return EngineState(
        name=engine.name,
        is_stand_in=engine.is_stand_in,
        version=engine.version,
        ports=engine.ports,
        health=_health(engine, process),
        pid=process.pid if is_running else None,
        memory_bytes=memory_bytes(process.pid) if is_running else None,
        uptime_seconds=max(0, int(time.time()) - process.started_at) if is_running else None,
        restarts=restarts,
    )


def _health(engine: Engine, process: ProcessState) -> Health:
    if process.is_running:
        return Health.OK if engine.is_ready() else Health.STARTING
    if process.word == "BACKOFF":
        return Health.STARTING
    return Health.FAILED if process.has_given_up else Health.STOPPED


def memory_bytes(pid: int) -> int:
    """What the process and all below it take, shared pages divided among those who share them."""
    try:
        parent = psutil.Process(pid)
        members = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(_own_memory(member) for member in members)


def _own_memory(process: psutil.Process) -> int:
    """PSS where the system counts it (Linux), else what is the process's alone; 0 once it has ended."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.uss))


def _unasked_endings(log: Path) -> dict[str, int]:
    """Counted in supervisord's own log since its last start."""
    counts: dict[str, int] = {}
    for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
        if " supervisord started with pid " in line:
            counts.clear()
        elif " exited: " in line:
            name = line.split(" exited: ", 1)[1].split(" ", 1)[0]
            counts[name] = counts.get(name, 0) + 1
    return counts
