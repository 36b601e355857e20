"""Doing things at a rate, by a clock that never jumps."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Pace:
    """``per_second`` things a second from the first call on; None is as fast as it goes.

    A delay is made up for: the schedule is fixed at the start and does not slip.
    """

    per_second: float | None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _started: float | None = field(default=None, init=False)
    _done: int = field(default=0, init=False)

    def wait(self, things: int = 1) -> None:
        """Return when the next ``things`` are due."""
        if self.per_second is None:
            return
        if self._started is None:
            self._started = self.clock()
        self.wait_until(self._done / self.per_second)
        self._done += things

    def wait_until(self, seconds: float) -> None:
        """Return when so many seconds have passed since the start."""
        if self._started is None:
            self._started = self.clock()
        early = self._started + seconds - self.clock()
        if early > 0:
            self.sleep(early)
