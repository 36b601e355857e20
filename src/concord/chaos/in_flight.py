"""Work in flight: what shows that a fault struck while there was something to lose."""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from concord.platform import leftovers

STOPS_WITHIN_SECONDS = 1.0


def open_batch(checkpoints: Path) -> tuple[str, int] | None:
    """A micro-batch whose offsets are planned and not committed."""
    for query in sorted(checkpoints.iterdir()):
        if (number := open_batch_of(query)) is not None:
            return query.name, number
    return None


def open_batch_of(query: Path) -> int | None:
    """The micro-batch that is open in the checkpoint of one query."""
    planned, done = _newest(query / "offsets"), _newest(query / "commits")
    return planned if planned > done else None


def _newest(folder: Path) -> int:
    return max((int(path.name) for path in folder.glob("[0-9]*") if path.name.isdigit()), default=-1)


def frozen(pid: int) -> list[psutil.Process]:
    """The process and everything below it, stopped in the middle of what they do.

    One that ends meanwhile (Java starts some for a moment) is no hindrance.
    """
    family = leftovers.family([pid])
    stopped = [member for member in family if leftovers.reached(member.suspend)]
    deadline = time.monotonic() + STOPS_WITHIN_SECONDS
    while time.monotonic() < deadline and any(map(_runs, stopped)):
        time.sleep(0.001)
    return stopped


def thawed(family: Sequence[psutil.Process]) -> None:
    for member in family:
        leftovers.reached(member.resume)


def killed(family: Sequence[psutil.Process]) -> None:
    """SIGKILL to each."""
    for member in family:
        leftovers.reached(member.kill)


def kill(pid: int) -> None:
    """SIGKILL to the process and everything below it."""
    killed(leftovers.family([pid])[::-1])


def _runs(member: psutil.Process) -> bool:
    try:
        return member.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
