"""Waiting for what will come, quietly: a probe that says not yet is no failure to log."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0


class NotYet(Exception):
    """What is waited for did not come in time."""


def wait_for(probe: Callable[[], T | None], timeout: float) -> T:
    """The first answer of ``probe`` that is not None. Raises :class:`NotYet` after ``timeout`` seconds."""
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE_SECONDS
    while (answer := probe()) is None:
        if time.monotonic() > deadline:
            raise NotYet
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    return answer
