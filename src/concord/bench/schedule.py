"""When each record is meant to be sent: phases of a steady rate, one after the other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Phase:
    """So many seconds at so many records a second."""

    seconds: float
    per_second: float


@dataclass(frozen=True)
class Schedule:
    """Intended times by record number, from 0. A backlog has times too, and is sent without waiting for them."""

    phases: tuple[Phase, ...]
    start_ms: int
    is_paced: bool = True

    @property
    def count(self) -> int:
        return round(float(self._counts()[-1]))

    @property
    def seconds(self) -> float:
        return float(self._seconds()[-1])

    def intended_ms(self, numbers: Numbers) -> Numbers:
        """Milliseconds since 1970 at which records of these numbers are to be sent."""
        after = np.interp(numbers.astype(np.float64), self._counts(), self._seconds())
        return self.start_ms + np.floor(after * 1000).astype(np.int64)

    def due(self, seconds: float) -> int:
        """How many records are due so many seconds after the start."""
        return int(np.interp(seconds, self._seconds(), self._counts()))

    def _seconds(self) -> npt.NDArray[np.float64]:
        return np.cumsum([0.0, *(phase.seconds for phase in self.phases)])

    def _counts(self) -> npt.NDArray[np.float64]:
        return np.cumsum([0.0, *(phase.seconds * phase.per_second for phase in self.phases)])


def steady(per_second: float, seconds: float, start_ms: int) -> Schedule:
    return Schedule((Phase(seconds, per_second),), start_ms)


def bursts(per_second: float, seconds: float, factor: float, burst_seconds: float, start_ms: int) -> Schedule:
    """A steady rate with ``factor`` times as much for ``burst_seconds`` in its middle."""
    around = (seconds - burst_seconds) / 2
    calm = Phase(around, per_second)
    return Schedule((calm, Phase(burst_seconds, per_second * factor), calm), start_ms)


def backlog(count: int, per_second: float, end_ms: int) -> Schedule:
    """``count`` records that came at this rate and wait since; the last one is from ``end_ms``."""
    seconds = count / per_second
    return Schedule((Phase(seconds, per_second),), end_ms - round(seconds * 1000), is_paced=False)
