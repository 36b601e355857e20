"""Where a drill kills the driver: -9, at a named step of a micro-batch."""

import os
import signal
from enum import StrEnum


class Step(StrEnum):
    """Moments between which a crash must change nothing."""

    BATCH_OPEN = "batch_open"
    DATA_STORED = "data_stored"
    POSITION_STORED = "position_stored"


def reached(step: Step, query: str, failpoint: str) -> None:
    """Die if ``failpoint`` names this step, as ``step`` or ``query:step``."""
    if failpoint in (str(step), f"{query}:{step}"):
        os.kill(os.getpid(), signal.SIGKILL)
