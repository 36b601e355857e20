"""The registry of faults: what is sent, what strikes, and how soon the speed layer must be fresh again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from concord.chaos import phases, strikes
from concord.chaos.load import Kind, Leg, Pace
from concord.chaos.scene import Scene, Struck
from concord.errors import ConcordError, ExitCode
from concord.speed.failpoint import Step

PROCESS_SECONDS = 60.0
"""For driver and broker, which take a while to start."""
DATA_SECONDS = 30.0


class NoSuchFault(ConcordError):
    """A fault of the command line that there is not."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Fault:
    """``strike`` waits for its moment, strikes, and says what was in flight."""

    name: str
    what: str
    strike: Callable[[Scene], Struck]
    legs: Callable[[Pace], Sequence[Leg]] = phases.through
    fresh_within_seconds: float = DATA_SECONDS


def _of_driver(step: Step) -> Fault:
    what = f"SIGKILL of the driver and its worker at {step}"
    return Fault(
        f"driver-at-{step.replace('_', '-')}", what, strikes.driver_killed_at(step), phases.through, PROCESS_SECONDS
    )


_EACH = (
    Fault(
        "driver", "SIGKILL of Spark inside a micro-batch", strikes.driver_killed, fresh_within_seconds=PROCESS_SECONDS
    ),
    *(_of_driver(step) for step in Step),
    Fault("clickhouse", "SIGKILL of ClickHouse while it inserts events", strikes.clickhouse_killed),
    Fault("broker", "SIGKILL of the broker", strikes.broker_killed, fresh_within_seconds=PROCESS_SECONDS),
    Fault("clickhouse-away", "ClickHouse is stopped for a while", strikes.clickhouse_away),
    Fault("second-driver", "a second driver on the same checkpoint is refused", strikes.second_driver),
    Fault("poison-head", "poison is the first record of each partition", phases.poison_at_head, phases.behind_poison),
    Fault("poison-only", "nothing but broken records", phases.poison_only, phases.during(Kind.POISON)),
    Fault("hot-key", "three of ten events are by one user", phases.hot_key, phases.during(Kind.HOT)),
    Fault("burst", "many times the rate", phases.burst, phases.during(Kind.ORDINARY, lambda pace: pace.burst)),
    Fault("idle", "a pause, then load", phases.idle, phases.after_a_pause),
)
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _EACH}


def chosen(names: Sequence[str]) -> list[Fault]:
    """The faults of these names, all if there are none. Raises :class:`NoSuchFault` for a name that is none."""
    for name in names:
        if name not in FAULTS:
            raise NoSuchFault(f"--fault {name!r} is no fault", f"one of {', '.join(FAULTS)}")
    return [FAULTS[name] for name in dict.fromkeys(names)] or list(FAULTS.values())


def drawn(faults: Sequence[Fault], seed: int, trials: int) -> list[Fault]:
    """So many, drawn by seed: each once before any comes again."""
    rng = Random(f"{seed} faults")
    found: list[Fault] = []
    while len(found) < trials:
        found += rng.sample(faults, len(faults))
    return found[:trials]
