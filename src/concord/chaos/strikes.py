"""Faults of processes: killed with work in flight, away for a while, there twice."""

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

from concord.bench.own_stack import SPEED
from concord.chaos.in_flight import frozen, kill, killed, thawed
from concord.chaos.scene import Scene, Struck, wait_until
from concord.contracts.events import EVENTS
from concord.contracts.names import EVENTS_QUERY
from concord.errors import ExitCode, Unavailable
from concord.platform.launchers.own_python import module_command, settings_environment
from concord.platform.supervisord import Supervisord
from concord.settings import child_environment
from concord.speed.failpoint import FILE, REACHED, Step

T = TypeVar("T")

CLICKHOUSE, BROKER = "clickhouse", "kafka"
LOOK_SECONDS = 0.003
WITHIN_SECONDS = 60.0
REFUSED_WITHIN_SECONDS = 120.0
INSERTS = """
select extract(query, '(?i)insert into\\s+`?(\\w+)') as into, toInt64(elapsed * 1000) from system.processes
where user = 'writer' and query_kind = 'Insert' and into = {table:String} limit 1
"""


def driver_killed(scene: Scene) -> Struck:
    """SIGKILL to Spark's driver, its Java machine and its workers, caught inside a micro-batch of events."""
    scene.wait_for_a_moment()
    batch = _killed_inside_batch(scene, scene.pid(SPEED))
    return Struck(
        at := time.time(), at, f"micro-batch {batch} was open, {scene.lag():,} records sent were not yet held"
    )


def _killed_inside_batch(scene: Scene, pid: int) -> int:
    """Frozen first, so that it is certain what was open when it died."""

    def killed_if_open() -> int | None:
        family, batch = frozen(pid), None
        try:
            batch = scene.open_batch()
        finally:
            (thawed if batch is None else killed)(family)
        return batch

    return _seen(killed_if_open, "no micro-batch of events is open") or 0


def driver_killed_at(step: Step) -> Callable[[Scene], Struck]:
    """SIGKILL of the driver, and of the worker that is there, at one step of a micro-batch of events."""

    def strike(scene: Scene) -> Struck:
        (scene.folder / REACHED).unlink(missing_ok=True)
        scene.wait_for_a_moment()
        (scene.folder / FILE).write_text(f"{EVENTS_QUERY}:{step}")
        _seen((scene.folder / REACHED).exists, f"failpoint {step} is not reached")
        at = time.time()
        return Struck(at, at, f"at {step} of micro-batch {scene.open_batch()}, which was open")

    return strike


def clickhouse_killed(scene: Scene) -> Struck:
    """SIGKILL to ClickHouse while it stores a micro-batch's events, which its views are made of."""
    pid = scene.pid(CLICKHOUSE)
    scene.wait_for_a_moment()
    table, milliseconds = _insert_under_way(scene)
    kill(pid)
    at = time.time()
    return Struck(
        at, at, f"insert into {table} had run for {milliseconds} ms when last seen; micro-batch {scene.open_batch()}"
    )


def _insert_under_way(scene: Scene) -> tuple[str, int]:
    found = _seen(lambda: scene.store.query(INSERTS, {"table": EVENTS.name}), "ClickHouse ran no insert of events")
    return str(found[0][0]), int(found[0][1])


def broker_killed(scene: Scene) -> Struck:
    """SIGKILL to the broker while records are on their way to it."""
    pid = scene.pid(BROKER)
    scene.wait_for_a_moment()
    waiting = _seen(lambda: scene.generator.unacknowledged, "every record is acknowledged at once")
    kill(pid)
    at = time.time()
    return Struck(
        at, at, f"{waiting:,} records were not acknowledged; {scene.lag():,} not yet held; batch {scene.open_batch()}"
    )


def clickhouse_away(scene: Scene) -> Struck:
    """ClickHouse is stopped, and started again after a while."""
    scene.wait_for_a_moment()
    supervisord, at = Supervisord(scene.settings.home), time.time()
    supervisord.stop(CLICKHOUSE)
    wait_until(at + scene.pace.away_seconds)
    waited, batch = scene.lag(), scene.open_batch()
    supervisord.start(CLICKHOUSE)
    over_at = time.time()
    return Struck(
        at, over_at, f"away for {over_at - at:.0f} s: {waited:,} records waited, micro-batch {batch} was open"
    )


def second_driver(scene: Scene) -> Struck:
    """A second driver on the same checkpoint: it must be refused, and the first go on."""
    first = scene.pid(SPEED)
    scene.wait_for_a_moment()
    at = time.time()
    refused = subprocess.run(
        module_command("concord", "stream"),
        env=child_environment(**settings_environment(scene.settings)),
        capture_output=True,
        text=True,
        timeout=REFUSED_WITHIN_SECONDS,
        check=False,
    )
    said = next((line for line in refused.stderr.splitlines() if "error" in line), "")
    wrong = [] if refused.returncode == ExitCode.MISCONFIGURED else [f"second driver: exit code {refused.returncode}"]
    wrong += [] if scene.pid(SPEED) == first else ["second driver: the first one ended"]
    return Struck(at, time.time(), f"exit code {refused.returncode}: {said.strip()}", tuple(wrong))


def _seen(probe: Callable[[], T], otherwise: str) -> T:
    """The first true answer, asked for all the time: what is in flight is gone in a moment."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise Unavailable(f"{otherwise} within {WITHIN_SECONDS:g} s", "concord logs speed")
        time.sleep(LOOK_SECONDS)
    return found
