"""What runs beside the speed layer: the lake's sink, and change capture with a shop that changes."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum

from concord import bootstrap
from concord.bench.own_stack import LAKE_STORES, SPEED_STORES
from concord.bench.ranges import Since
from concord.contracts.events import EVENTS_LANDING
from concord.platform.launchers.own_python import module_command, settings_environment
from concord.settings import Settings, child_environment
from concord.telemetry.waiting import NotYet, wait_for

CHANGES_PER_SECOND = 50
LAKE_SECONDS = 240.0


class Beside(StrEnum):
    """What shares the machine with the speed layer during a run."""

    NOTHING = "nothing"
    LAKE = "lake"
    ALL = "all"

    @property
    def stores(self) -> tuple[str, ...]:
        return SPEED_STORES if self is Beside.NOTHING else LAKE_STORES


@contextmanager
def changing_shop(settings: Settings, seconds: float) -> Iterator[None]:
    """A shop of :data:`CHANGES_PER_SECOND` transactions a second in PostgreSQL, as long as the block runs."""
    options = {"--changes-per-second": CHANGES_PER_SECOND, "--events-per-second": 0, "--seconds": seconds}
    arguments = [str(word) for option in options.items() for word in option]
    environment = child_environment(**settings_environment(settings))
    command = module_command("concord", "generate", "--json", *arguments)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def working(settings: Settings, beside: Beside, seconds: float) -> AbstractContextManager[None]:
    """The block's company."""
    return changing_shop(settings, seconds) if beside is Beside.ALL else _nothing()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def lake_differences(settings: Settings, since: Since, records: int) -> list[str]:
    """What the lake lacks of a run once its sink has committed; empty if it holds every record."""
    lake = bootstrap.lake(settings)

    def complete() -> int | None:
        held = since.held(lake.position(EVENTS_LANDING.name))
        return held if held >= records else None

    try:
        wait_for(complete, LAKE_SECONDS)
    except NotYet:
        return [f"lake: {since.held(lake.position(EVENTS_LANDING.name)):,} records held, {records:,} expected"]
    return []
