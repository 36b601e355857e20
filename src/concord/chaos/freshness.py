"""How old the oldest record is that the speed layer does not hold yet, looked at all the time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from concord.bench.background import meanwhile
from concord.chaos.load import Timeline
from concord.errors import ConcordError

EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Look:
    """``held`` records were at rest ``at`` epoch seconds, and the next one was meant to be sent ``age`` seconds ago."""

    at: float
    held: int
    age: float


@dataclass
class Looks:
    """All looks at one load. While the store does not answer nothing more is known to be held."""

    timeline: Timeline
    taken: list[Look] = field(default_factory=list)

    def add(self, at: float, held: int | None) -> None:
        known = self.taken[-1].held if self.taken else 0
        held = known if held is None else held
        self.taken.append(Look(at, held, max(0.0, at - self.timeline.meant_at(held))))


@contextmanager
def looking(held: Callable[[], int], timeline: Timeline) -> Iterator[Looks]:
    """Look several times a second as long as the block runs."""
    looks = Looks(timeline)
    with meanwhile(lambda stop: _look(held, looks, stop)):
        yield looks


def _look(held: Callable[[], int], looks: Looks, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            found = held()
        except ConcordError:
            looks.add(time.time(), None)
        else:
            looks.add(time.time(), found)
        stop.wait(EVERY_SECONDS)


@dataclass(frozen=True)
class Recovery:
    """What counts as fresh again: everything up to record ``number`` is held, and for ``settled_seconds`` nothing
    that is not held was older than ``limit_seconds``.

    The time to settle is longer than the limit, or a layer that stands still would pass for a moment.
    """

    over_at: float
    number: int
    limit_seconds: float

    @property
    def settled_seconds(self) -> float:
        return self.limit_seconds + 3.0

    def seconds(self, looks: Sequence[Look]) -> float | None:
        """From the end of the fault until it was fresh for good; None if it is not, or not for long enough yet."""
        after = [look for look in looks if look.at >= self.over_at]
        stale = [place for place, look in enumerate(after) if not self._is_fresh(look)]
        first = stale[-1] + 1 if stale else 0
        if first >= len(after) or after[-1].at - max(after[first].at, self.over_at) < self.settled_seconds:
            return None
        return after[first].at - self.over_at

    def _is_fresh(self, look: Look) -> bool:
        return look.held >= self.number and look.age <= self.limit_seconds
