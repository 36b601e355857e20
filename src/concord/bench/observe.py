"""A run watched once a second: how much was sent, how much is held, what the processes take."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from concord.bench.accounting import Accounts
from concord.bench.background import meanwhile
from concord.bench.ranges import Since
from concord.gateways.clickhouse import ClickHouse

EVERY_SECONDS = 1.0
WEIGH_EVERY = 5


@dataclass(frozen=True)
class Moment:
    """One look. ``cpu_seconds`` of all engines since the beginning; ``memory_bytes`` as it was last weighed."""

    second: float
    sent: int
    held: int
    cpu_seconds: float
    memory_bytes: int

    @property
    def lag(self) -> int:
        return max(0, self.sent - self.held)


@dataclass
class Watched:
    """All looks at a run."""

    moments: list[Moment] = field(default_factory=list)


@contextmanager
def watching(
    store: ClickHouse, since: Since, accounts: Accounts, pids: Callable[[], Mapping[str, int]], sent: Callable[[], int]
) -> Iterator[Watched]:
    """Look once a second as long as the block runs."""
    watched = Watched()
    with meanwhile(lambda stop: _watch(store, since, accounts, pids, sent, watched, stop)):
        yield watched


def _watch(
    store: ClickHouse,
    since: Since,
    accounts: Accounts,
    pids: Callable[[], Mapping[str, int]],
    sent: Callable[[], int],
    watched: Watched,
    stop: threading.Event,
) -> None:
    started, looks, memory = time.monotonic(), 0, 0
    while not stop.is_set():
        accounts.follow(pids())
        if looks % WEIGH_EVERY == 0:
            memory = accounts.weigh()
        looks += 1
        # Held first: the lag is never too small.
        held = since.held(store.position())
        cpu = sum(accounts.seconds().values())
        watched.moments.append(Moment(time.monotonic() - started, sent(), held, cpu, memory))
        stop.wait(EVERY_SECONDS)


@dataclass(frozen=True)
class Flow:
    """What a paced run came to, from when it was warm until the last record was sent."""

    seconds: float
    held_per_second: float
    largest_lag: int
    lag_grows_per_second: float
    is_flat: bool


def flow(moments: Sequence[Moment], warm_seconds: float, until_seconds: float, per_second: float) -> Flow | None:
    """The rate at rest, and whether the lag stays: over the run it may grow by less than 1 % of the rate.

    A lag is a saw, as micro-batches go; its growth is the slope of a line through all looks. None with fewer than two.
    """
    chosen = [moment for moment in moments if warm_seconds <= moment.second <= until_seconds]
    if len(chosen) < 2:
        return None
    first, last = chosen[0], chosen[-1]
    grows = slope([moment.second for moment in chosen], [moment.lag for moment in chosen])
    return Flow(
        seconds=last.second - first.second,
        held_per_second=(last.held - first.held) / (last.second - first.second),
        largest_lag=max(moment.lag for moment in chosen),
        lag_grows_per_second=grows,
        is_flat=grows < 0.01 * per_second,
    )


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Of the line with the least squared distance."""
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((each - middle_x) ** 2 for each in x)
    together = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return together / spread if spread else 0.0
