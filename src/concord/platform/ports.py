"""Who listens where on this machine."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port; ``pid`` is ``None`` where it is another user's and hidden from us."""

    pid: int | None
    name: str
    commands: tuple[str, ...] = ()
    """Its command line and those of the processes above it."""

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})" if self.pid else "a process of another user"

    def belongs_to(self, folder: str) -> bool:
        """Whether it, or what started it, was told of ``folder``: our own engines know their home."""
        return any(folder in command for command in self.commands)


def holders(ports: Iterable[int]) -> dict[int, Holder]:
    """The ports of ``ports`` that are taken, and by whom."""
    wanted = set(ports)
    listening = (found for found in psutil.net_connections("tcp") if found.status == psutil.CONN_LISTEN)
    return {found.laddr[1]: _holder(found.pid) for found in listening if found.laddr and found.laddr[1] in wanted}


def _holder(pid: int | None) -> Holder:
    if pid is None:
        return Holder(None, "")
    try:
        process = psutil.Process(pid)
        family = (process, *process.parents())
        return Holder(pid, process.name(), tuple(" ".join(member.cmdline()) for member in family))
    except psutil.Error:
        return Holder(pid, "a process that has just ended")
