"""How many executors the speed layer needs: a pure answer to a series of observations.

Spark's dynamic allocation counts waiting tasks, and a stream of micro-batches has none between two of
them; so the number follows the load and the lag instead. What is known of such controllers is kept:

- Wanted = now × measured ÷ target, and nothing for a small deviation: Kubernetes' HorizontalPodAutoscaler.
  Its scale-down takes the highest number wanted over a stabilisation window, and so does this one.
- The rate of an executor is measured while it works, not over the clock, and the target is the input and
  what waits, spread over a time to catch up in: Flink's autoscaler (true processing rate, target
  utilisation, catch-up duration, restart time).
- More consumers than partitions stand idle: KEDA's Kafka scaler stops there.

Up needs batches that take much of the trigger interval: while they are short, more executors would wait
for records as the present ones do. And it needs two of them, because the one after an idle time carries few
records at the price of many. Up and down have different thresholds, and between them nothing happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf

from concord.errors import Misconfigured
from concord.rules.load import Load, Observation, before_last_batch, seconds_of, since_change, windows, within
from concord.rules.scaling_settings import ScalingSettings


class Reason(StrEnum):
    """Why the policy advises what it does."""

    UNMEASURED = "no micro-batch has been measured"
    COOLING_DOWN = "the last change or start is too recent to judge"
    OUTSIDE_BOUNDS = "the present number lies outside the bounds"
    LONG_BATCHES = "batches take too much of the trigger interval"
    SLOW_DRAIN = "what waits would take too long to drain"
    UNCONFIRMED = "one micro-batch says that there are too few, and a second has not ended"
    AT_BOUND = "more would be needed than the bounds allow"
    CAPPED_BATCHES = "records wait though batches are short: raise max_offsets_per_trigger, executors would not help"
    SPARE = "fewer have been enough for long"
    STEADY = "the load fits"


@dataclass(frozen=True)
class Advice:
    """Executors wanted, why, and what to expect of it."""

    executors: int
    now: int
    reason: Reason
    share: float | None
    """Of the trigger interval that the input alone takes at present; None if unmeasured."""
    capacity_per_second: float | None
    """Records that the executors wanted can process; None if unmeasured."""
    lag_per_second: float
    """By how much the lag grows; below 0 it shrinks."""
    expected_drain_seconds: float | None
    """From now until nothing waits, a restart included; None if that is never, or unmeasured."""

    @property
    def is_change(self) -> bool:
        return self.executors != self.now


def advise(observations: Sequence[Observation], settings: ScalingSettings, running_seconds: float = inf) -> Advice:
    """Executors wanted after the last of the observations, which are of one query and in order of time.

    ``running_seconds`` is how long the driver has been running: a start is as little to judge by as a change.

    A change of executors is read from the series itself, so it should reach back ``calm_seconds``; a
    shorter one never leads to fewer executors. Raises :class:`Misconfigured` if the series is empty.
    """
    if not observations:
        raise Misconfigured("scaling needs at least one observation")
    settled = since_change(observations)
    load = Load.of(within(settled, settings.recent_seconds))
    if not load.rate:
        return Advice(load.executors, load.executors, Reason.UNMEASURED, None, None, load.lag_growth, None)
    unchanged_seconds = seconds_of(settled) if len(settled) < len(observations) else inf
    is_fresh = min(unchanged_seconds, running_seconds) < settings.cool_down_seconds
    wanted, reason = (load.executors, Reason.COOLING_DOWN) if is_fresh else _decide(load, settled, settings)
    return _advice(load, wanted, reason, settings)


def _decide(load: Load, settled: Sequence[Observation], settings: ScalingSettings) -> tuple[int, Reason]:
    now, need = load.executors, load.need(settings)
    if settings.bounded(now) != now:
        return settings.bounded(now), Reason.OUTSIDE_BOUNDS
    if need > now and (pressure := _pressure(load, settings)):
        return _more(pressure, need, settled, settings)
    if need < now and seconds_of(settled) >= settings.calm_seconds:
        wanted = _fewer(now, settled, settings)
        return wanted, Reason.SPARE if wanted < now else Reason.STEADY
    return now, Reason.STEADY


def _more(pressure: Reason, need: int, settled: Sequence[Observation], settings: ScalingSettings) -> tuple[int, Reason]:
    """What is needed, if it helps, is allowed, and was already called for before the last micro-batch."""
    now, wanted = settled[-1].executors, settings.bounded(need)
    if pressure is Reason.CAPPED_BATCHES:
        return now, pressure
    if wanted == now:
        return now, Reason.AT_BOUND
    earlier = before_last_batch(settled)
    if not earlier or not _pressure(Load.of(within(earlier, settings.recent_seconds)), settings):
        return now, Reason.UNCONFIRMED
    return wanted, pressure


def _pressure(load: Load, settings: ScalingSettings) -> Reason | None:
    """What calls for more. Long batches that only drain what waits do not: they end by themselves."""
    if load.batch_share > settings.up_share and load.share > settings.up_share:
        return Reason.LONG_BATCHES
    if load.drains_slowly(settings):
        return Reason.SLOW_DRAIN if load.batch_share > settings.target_share else Reason.CAPPED_BATCHES
    return None


def _fewer(now: int, settled: Sequence[Observation], settings: ScalingSettings) -> int:
    """The highest number needed at any moment of the calm time, and not much fewer than now."""
    highest = ceil(now * settings.down_share)
    for recent in windows(within(settled, settings.calm_seconds), settings.recent_seconds):
        highest = max(highest, Load.of(recent).need(settings))
        if highest >= now:
            return now
    return settings.bounded(highest)


def _advice(load: Load, wanted: int, reason: Reason, settings: ScalingSettings) -> Advice:
    pause = settings.restart_seconds if wanted != load.executors else 0.0
    drain = load.drain_seconds(wanted, load.lag + load.input * pause)
    return Advice(
        executors=wanted,
        now=load.executors,
        reason=reason,
        share=load.share,
        capacity_per_second=wanted * load.rate,
        lag_per_second=load.lag_growth,
        expected_drain_seconds=None if drain is None else pause + drain,
    )
