"""What one engine of this machine is, as data: launched, watched and stopped by the supervisor."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _nothing() -> None:
    """Most engines need no work before a start."""


@dataclass(frozen=True)
class Launch:
    """One process: what is executed, with which environment, files and rights.

    ``files`` are written before every start, readable by ``user`` alone; ``loads`` are files of
    others that it reads at its start. ``user`` is the unprivileged user a process is handed to when
    Concord runs as root; ``None`` keeps ours.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    loads: tuple[Path, ...] = ()
    prepare: Callable[[], None] = _nothing
    user: str | None = None
    stop_signal: str = "TERM"
    stop_within_seconds: int = 30

    def digest(self) -> str:
        """Changes when the process has to be restarted to see what is configured now."""
        files = {str(path): text for path, text in self.files.items()}
        loads = [str(path) for path in self.loads]
        seen = json.dumps([self.command, dict(self.environment), files, loads, self.user], sort_keys=True)
        return hashlib.sha256(seen.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Engine:
    """One engine. ``ports`` are all it listens on, the one that clients use first.

    ``launch`` is asked for only when the engine is about to start: it reads secrets and looks for
    installed programs, and says which is missing. ``is_ready`` is one quick question, never a wait.
    """

    name: str
    version: str
    ports: tuple[int, ...]
    launch: Callable[[], Launch]
    is_ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    is_stand_in: bool = False
    ready_within_seconds: int = 120
