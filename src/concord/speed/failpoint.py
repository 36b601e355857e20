"""Where a drill kills the driver: -9, at a named step of a micro-batch."""

import os
import signal
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

FILE = "failpoint"
"""In the speed layer's folder; a drill writes a step into it, and finds it renamed once the step was reached."""
REACHED = "failpoint.reached"


class Step(StrEnum):
    """Moments between which a crash must change nothing, in the order of a micro-batch of events."""

    BATCH_OPEN = "batch_open"
    DEAD_LETTERS_STORED = "dead_letters_stored"
    DEAD_LETTERS_PUBLISHED = "dead_letters_published"
    LATE_STORED = "late_stored"
    EVENTS_STORED = "events_stored"
    FUNNELS_STORED = "funnels_stored"
    CATEGORIES_STORED = "categories_stored"
    SESSIONS_STORED = "sessions_stored"
    DATA_STORED = "data_stored"
    POSITION_STORED = "position_stored"


@dataclass(frozen=True)
class Failpoint:
    """A step, as ``step`` or ``query:step``: ``named`` from the start on, or written into the file ``armed`` later.

    The file kills once, so that whoever starts the driver again needs to know nothing of the drill.
    """

    named: str = ""
    armed: Path | None = None
    driver: int = field(default_factory=os.getpid)

    def reached(self, step: Step, query: str) -> None:
        """Kill the driver, and with it the worker that is at this step, if the step is the one."""
        if {str(step), f"{query}:{step}"} & {self.named, self._in_file()}:
            self._disarm()
            for pid in (self.driver, os.getpid()):
                os.kill(pid, signal.SIGKILL)

    def _in_file(self) -> str:
        try:
            return self.armed.read_text().strip() if self.armed else ""
        except FileNotFoundError:
            return ""

    def _disarm(self) -> None:
        if self.armed and self.armed.exists():
            self.armed.rename(self.armed.with_name(REACHED))
