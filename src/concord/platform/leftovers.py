"""Processes of the stack that outlived their supervisor."""

from collections.abc import Callable, Iterable, Sequence

import psutil

from concord.errors import Unavailable

GONE_WITHIN_SECONDS = 60


def end(commands: Iterable[Sequence[str]]) -> None:
    """End what runs one of ``commands`` though no supervisor does: ours was killed hard."""
    wanted = {tuple(command) for command in commands}
    orphans = [process for process in psutil.process_iter() if _command(process) in wanted]
    for process in orphans:
        reached(process.terminate)
    _, alive = psutil.wait_procs(orphans, timeout=GONE_WITHIN_SECONDS)
    for process in alive:
        reached(process.kill)
    require_gone(alive)


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes with these pids and all below them."""
    parents = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [member for parent in parents for member in (parent, *parent.children(recursive=True))]


def reached(signal: Callable[[], None]) -> bool:
    """Send it; False if the process has ended meanwhile, as any of a family may at any time."""
    try:
        signal()
    except psutil.NoSuchProcess:
        return False
    return True


def require_gone(processes: Iterable[psutil.Process]) -> None:
    """Raises :class:`Unavailable` naming what is still there after a generous wait."""
    _, alive = psutil.wait_procs(list(processes), timeout=GONE_WITHIN_SECONDS)
    if alive:
        words = ", ".join(f"{process.name()} (pid {process.pid})" for process in alive)
        raise Unavailable(f"still running after the stop: {words}", "look at their logs, then kill them")


def _command(process: psutil.Process) -> tuple[str, ...]:
    try:
        return tuple(process.cmdline())
    except psutil.Error:
        return ()
