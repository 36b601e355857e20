"""A streaming query on paper: load comes in, executors work it off in micro-batches, a change stops the driver."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from concord.rules.load import Observation
from concord.rules.scaling import Advice, advise
from concord.rules.scaling_settings import ScalingSettings

LoadCurve = Callable[[float], float]
"""Events per second at a second of the run."""

STEP_SECONDS = 0.5
REMEMBERED_SECONDS = 60.0
"""Beyond the calm time: what the policy is shown."""


@dataclass
class Simulation:
    """Runs ``curve`` for a while and does what the policy advises, at the end of every micro-batch.

    An executor works ``rate`` events a second, give or take ``noise`` of it; a batch costs
    ``batch_cost_seconds`` whatever it carries, and carries at most ``max_batch`` events.
    """

    curve: LoadCurve
    settings: ScalingSettings
    executors: int = 1
    rate: float = 10_000.0
    batch_cost_seconds: float = 0.2
    max_batch: float = 1e12
    trigger_seconds: float = 2.0
    noise: float = 0.0
    seed: int = 1
    clock: float = 0.0
    lag: float = 0.0
    observations: list[Observation] = field(default_factory=list)
    changes: list[tuple[float, Advice]] = field(default_factory=list)
    advice: Advice | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.seen_at, self.arrived = 0.0, 0.0

    def run(self, seconds: float) -> "Simulation":
        end = self.clock + seconds
        while self.clock < end:
            self._micro_batch()
            self._follow(advise(self._remembered(), self.settings))
        return self

    def _micro_batch(self) -> None:
        started = self.clock
        records = min(self.lag, self.max_batch)
        batch_seconds = self.batch_cost_seconds + records / (self.executors * self.rate * self._odd())
        self._pass(batch_seconds)
        self.lag -= records
        self._pass(max(0.0, self._next_trigger(started) - self.clock))
        self._observe(records, batch_seconds)

    def _next_trigger(self, started: float) -> float:
        return (started // self.trigger_seconds + 1) * self.trigger_seconds

    def _observe(self, records: float, batch_seconds: float) -> None:
        passed = self.clock - self.seen_at
        seen = Observation(
            at_seconds=self.clock,
            input_per_second=self.arrived / passed,
            processed_per_second=records / batch_seconds,
            lag_records=round(self.lag),
            batch_id=len(self.observations),
            batch_seconds=batch_seconds,
            trigger_seconds=self.trigger_seconds,
            executors=self.executors,
        )
        self.observations.append(seen)
        self.seen_at, self.arrived = self.clock, 0.0

    def _follow(self, advice: Advice) -> None:
        self.advice = advice
        if advice.is_change:
            self.changes.append((self.clock, advice))
            self._pass(self.settings.restart_seconds)
            self.executors = advice.executors
            self.seen_at, self.arrived = self.clock, 0.0

    def _pass(self, seconds: float) -> None:
        end = self.clock + seconds
        while self.clock < end:
            step = min(STEP_SECONDS, end - self.clock)
            came = self.curve(self.clock + step / 2) * step * self._odd()
            self.lag, self.arrived, self.clock = self.lag + came, self.arrived + came, self.clock + step
            if end - self.clock < 1e-9:
                self.clock = end

    def _odd(self) -> float:
        return 1 + self.random.uniform(-self.noise, self.noise)

    def _remembered(self) -> list[Observation]:
        oldest = self.clock - self.settings.calm_seconds - REMEMBERED_SECONDS
        first = len(self.observations)
        while first > 0 and self.observations[first - 1].at_seconds >= oldest:
            first -= 1
        return self.observations[first:]

    @property
    def path(self) -> list[int]:
        """Executors after each change."""
        return [advice.executors for _, advice in self.changes]

    def lags(self, since: float, until: float = math.inf) -> list[int]:
        return [seen.lag_records for seen in self.observations if since <= seen.at_seconds < until]

    def gaps(self) -> list[float]:
        """Seconds between the end of one change and the next one."""
        times = [at for at, _ in self.changes]
        return [later - earlier - self.settings.restart_seconds for earlier, later in pairwise(times)]
