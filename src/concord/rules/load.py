"""What was seen of a streaming query, and what it says about its executors."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import ceil, inf
from statistics import fmean as mean

from concord.rules.scaling_settings import ScalingSettings

ROUNDING = 1e-9
"""A quotient that is a whole number but for the last bits is that number."""
LATEST = 2
"""Observations that show a step in the input."""
BEYOND_ANY = 1e6
"""Executors wanted where the rate measured is next to nothing: more than any bound allows."""


@dataclass(frozen=True)
class Observation:
    """What was seen of one streaming query at one moment."""

    at_seconds: float
    """Of any clock that goes forward; later observations have later times."""
    input_per_second: float
    """Records that arrive in Kafka."""
    processed_per_second: float
    """Records of the last micro-batch per second that it ran; 0 if none has run."""
    lag_records: int
    """Records that arrived and are not stored."""
    batch_id: int
    """Of the last micro-batch; observations of the same one say the same of the executors."""
    batch_seconds: float
    """How long it ran."""
    trigger_seconds: float
    executors: int


@dataclass(frozen=True)
class Load:
    """The last moments, taken together. ``rate`` is what one executor processes a second while it works."""

    executors: int
    input: float
    lag: int
    lag_growth: float
    batch_share: float
    rate: float

    @classmethod
    def of(cls, recent: Sequence[Observation]) -> "Load":
        """rate = the best processed ÷ executors: a batch of few records is nearly all start-up, and says little.

        The input is the mean, or that of the latest observations if it is higher: a step should not look
        smaller because it is young.
        """
        first, last = recent[0], recent[-1]
        passed = last.at_seconds - first.at_seconds
        return cls(
            executors=last.executors,
            input=max(mean(o.input_per_second for o in part) for part in (recent, recent[-LATEST:])),
            lag=last.lag_records,
            lag_growth=(last.lag_records - first.lag_records) / passed if passed else 0.0,
            batch_share=mean(o.batch_seconds / o.trigger_seconds for o in recent),
            rate=max(o.processed_per_second / o.executors for o in recent),
        )

    @property
    def share(self) -> float:
        """What the input alone takes of the executors' time: input ÷ (executors × rate)."""
        return self.input / (self.executors * self.rate) if self.rate else inf

    def need(self, settings: ScalingSettings) -> int:
        """Executors for the input at the target share, and for what waits after a restart within the drain time.

        The larger of input ÷ (rate × target_share) and
        (input + (lag + input × restart_seconds) ÷ drain_seconds) ÷ rate, rounded up; as many as now if
        no rate is known.
        """
        if not self.rate:
            return self.executors
        waiting = self.lag + self.input * settings.restart_seconds
        speed = max(self.input / settings.target_share, self.input + waiting / settings.drain_seconds)
        return ceil(min(speed / self.rate, BEYOND_ANY) - ROUNDING)

    def drain_seconds(self, executors: int, waiting: float) -> float | None:
        """waiting ÷ (executors × rate − input); None if they only just keep up, or do not."""
        spare = executors * self.rate - self.input
        if waiting <= 0:
            return 0.0
        return waiting / spare if spare > 0 else None

    def drains_slowly(self, settings: ScalingSettings) -> bool:
        """True if what waits, grown on as it does until new executors could work, takes longer than allowed."""
        waiting = self.lag + max(0.0, self.lag_growth) * settings.restart_seconds
        expected = self.drain_seconds(self.executors, waiting)
        return expected is None or expected > settings.drain_seconds


def since_change(observations: Sequence[Observation]) -> Sequence[Observation]:
    """The last observations, all with the present number of executors."""
    now = observations[-1].executors
    return list(takewhile(lambda seen: seen.executors == now, reversed(observations)))[::-1]


def windows(observations: Sequence[Observation], seconds: float) -> Iterator[Sequence[Observation]]:
    """For each observation, the last first: itself and those before it, none older than ``seconds``."""
    for end in range(len(observations), 0, -1):
        oldest = observations[end - 1].at_seconds - seconds
        yield observations[bisect_left(observations, oldest, key=lambda seen: seen.at_seconds) : end]


def within(observations: Sequence[Observation], seconds: float) -> Sequence[Observation]:
    """The last observations, none older than ``seconds`` before the last."""
    return next(windows(observations, seconds))


def before_last_batch(observations: Sequence[Observation]) -> Sequence[Observation]:
    """Those that do not know the last micro-batch yet."""
    last = observations[-1].batch_id
    return [seen for seen in observations if seen.batch_id != last]


def seconds_of(observations: Sequence[Observation]) -> float:
    """From the first to the last."""
    return observations[-1].at_seconds - observations[0].at_seconds
