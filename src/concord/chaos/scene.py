"""The running system as a fault meets it, under load."""

import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from concord.bench.generator import Generator
from concord.bench.own_stack import SPEED, pids
from concord.bench.ranges import Since
from concord.chaos.freshness import Looks
from concord.chaos.in_flight import open_batch_of
from concord.chaos.load import Pace
from concord.contracts.names import EVENTS_QUERY
from concord.gateways.clickhouse import ClickHouse
from concord.settings import Settings


@dataclass(frozen=True)
class Scene:
    """``begins_at`` is when the first record is meant to be sent, ``store`` the administrator's."""

    settings: Settings
    pace: Pace
    rng: Random
    store: ClickHouse
    since: Since
    generator: Generator
    looks: Looks
    begins_at: float

    @property
    def calm_until(self) -> float:
        return self.begins_at + self.pace.calm_seconds

    @property
    def folder(self) -> Path:
        """Of the speed layer."""
        return self.settings.home / SPEED

    def wait_for_a_moment(self) -> None:
        """Drawn by chance from two micro-batches' time after the calm."""
        wait_until(self.calm_until + self.rng.uniform(0.0, 2.0 * self.settings.spark.trigger_seconds))

    def pid(self, engine: str) -> int:
        return pids(self.settings)[engine]

    def open_batch(self) -> int | None:
        """The micro-batch of events that is planned and not committed."""
        return open_batch_of(self.folder / "checkpoints" / EVENTS_QUERY)

    def lag(self) -> int:
        """Records sent that are not known to be held."""
        held = self.looks.taken[-1].held if self.looks.taken else 0
        return max(0, self.generator.sent - held)


@dataclass(frozen=True)
class Struck:
    """A fault that has struck. From ``over_at`` (epoch seconds) on the system has every chance to recover.

    ``proof`` says what was in flight; ``wrong`` what the fault itself showed to be wrong.
    """

    at: float
    over_at: float
    proof: str
    wrong: tuple[str, ...] = ()


def wait_until(at: float) -> None:
    """Until the clock on the wall says so (epoch seconds)."""
    while (left := at - time.time()) > 0:
        time.sleep(min(left, 1.0))
