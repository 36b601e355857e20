"""What is sent while a fault strikes: stretches of recorded visits, one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from concord.bench import recorded
from concord.bench.generator import Part
from concord.bench.record import Recording, Shares, record
from concord.bench.schedule import Schedule, steady

Say = Callable[[str], None]


class Kind(StrEnum):
    """What the records of a stretch are."""

    ORDINARY = "ordinary"
    HOT = "hot"
    """Three of ten are by one user."""
    POISON = "poison"
    """Each is broken, in every way there is."""
    HEAD = "head"
    """Each is what has stopped a parser before."""


ALL_BROKEN = Shares(invalid=1.0, duplicate=0.0, late=0.0, out_of_order=0.0)
HOT_SHARE = 0.3
HEADS = 64
"""Records among which there is one for each partition, by far."""


@dataclass(frozen=True)
class Pace:
    """How hard and how long. ``calm_seconds`` of load come before every fault."""

    per_second: float = 20_000.0
    calm_seconds: float = 10.0
    phase_seconds: float = 30.0
    away_seconds: float = 120.0
    idle_seconds: float = 600.0
    burst: float = 5.0
    patience_seconds: float = 300.0
    """Load goes on for at most so long after a fault: then it is not recovered from."""


@dataclass(frozen=True)
class Leg:
    """So many seconds at so many records a second; none at all is a pause."""

    seconds: float
    per_second: float
    kind: Kind = Kind.ORDINARY


@dataclass(frozen=True)
class Timeline:
    """When each record of a load is meant to be sent, by its number over all legs."""

    schedules: Sequence[Schedule]

    def meant_at(self, number: int) -> float:
        """Epoch seconds; for a number beyond the last, when the load ends."""
        for schedule in self.schedules:
            if number < schedule.count:
                return float(schedule.intended_ms(np.array([number]))[0]) / 1000
            number -= schedule.count
        last = self.schedules[-1]
        return last.start_ms / 1000 + last.seconds

    def due(self, at: float) -> int:
        """How many records are due at this moment (epoch seconds)."""
        return sum(schedule.due(at - schedule.start_ms / 1000) for schedule in self.schedules)


def timetable(legs: Sequence[Leg], start_at: float) -> list[tuple[Leg, Schedule]]:
    """Every leg that sends anything, with its schedule; each begins where the one before it ends."""
    begins = accumulate((leg.seconds for leg in legs), initial=start_at)
    timed = [(leg, begin) for leg, (begin, _) in zip(legs, pairwise(begins), strict=True)]
    return [(leg, steady(leg.per_second, leg.seconds, round(at * 1000))) for leg, at in timed if leg.per_second]


@dataclass(frozen=True)
class Recordings:
    """Files of recorded visits, made when they are first asked for. ``size`` is the ordinary number of events."""

    folder: Path
    size: int = 200_000
    say: Say = lambda text: None

    def file(self, kind: Kind) -> Path:
        made = self._recording(kind)
        path = self.folder / made.file_name(kind)
        if not path.exists():
            self.say(f"recording {made.events:,} events to {path}")
            recorded.write(path, record(made))
        return path

    def _recording(self, kind: Kind) -> Recording:
        visitors = min(20_000, self.size // 10)
        match kind:
            case Kind.ORDINARY:
                return Recording(self.size, visitors=visitors, held=self.size // 2)
            case Kind.HOT:
                return Recording(self.size, visitors=visitors, held=self.size // 2, shares=Shares(hot=HOT_SHARE))
            case Kind.POISON:
                return Recording(self.size // 10, shares=ALL_BROKEN)
            case Kind.HEAD:
                return Recording(HEADS, shares=ALL_BROKEN, is_poison=True)

    def parts(self, timed: Sequence[tuple[Leg, Schedule]], run: int) -> list[Part]:
        """Each leg under a run of its own, counted from ``run``."""
        return [Part(self.file(leg.kind), schedule, run + place) for place, (leg, schedule) in enumerate(timed)]
