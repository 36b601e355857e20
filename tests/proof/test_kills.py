"""Kill -9, with work in flight: nothing is lost, nothing is there twice, the layers equal the source.

Part of `make proof`. Each test shows first that the engine had open work when it was killed.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from concord import bootstrap
from concord.chaos.in_flight import kill, open_batch
from concord.cli import hops, recon
from concord.cli.demo import await_layers
from concord.contracts.position import Position
from concord.ingest.generate import Plan, Shares, generate_shop
from concord.ingest.ledger import Ledger
from concord.platform.states import engine_states
from concord.settings import Settings
from tests.proof.conftest import Note
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

PATIENCE = 600.0


@contextmanager
def shop_at_work(settings: Settings, name: str, ledger: Path, seconds: float) -> Iterator[threading.Thread]:
    """A paced shop in the background; it has ended well when the block is left."""
    now = datetime.now(UTC)
    plan = Plan(
        name=f"{name}-{now:%H%M%S%f}",
        seed=11,
        start=now,
        seconds=seconds,
        events_per_second=200,
        changes_per_second=50,
        users=30,
        products=40,
        shares=Shares(invalid=0.02, duplicate=0.02),
    )
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with Ledger(ledger) as book:
                generate_shop(bootstrap.postgres(settings), bootstrap.kafka(settings), plan, book)
        except BaseException as error:
            failures.append(error)

    worker = threading.Thread(target=work, name=name)
    worker.start()
    try:
        yield worker
    finally:
        worker.join(PATIENCE)
    assert failures == []
    assert not worker.is_alive()


def pid_of(settings: Settings, engine: str) -> int:
    return eventually(lambda: next(state.pid for state in engine_states(settings) if state.name == engine))


def assert_whole(settings: Settings, ledger: Path, note: Note) -> None:
    """Lost 0, duplicated 0, every bad event a dead letter once; both layers equal the source at a fence."""
    await_layers(settings, PATIENCE)
    reader = bootstrap.clickhouse(settings, "reader")
    with Ledger(ledger) as book:
        expected, dead = book.expected_events(), book.expected_dead_letters()
    stored = Counter(
        str(row[0]) for row in reader.query("select event_id from events union all select event_id from events_late")
    )
    letters = Counter(tuple(row) for row in reader.query("select _topic, _partition, _offset from dead_letters"))
    lost = {event for event in expected if not stored[event]}
    doubled = {event for event in expected if stored[event] > 1}
    note(f"ledger: {len(expected):,} events, lost {len(lost)}, duplicated {len(doubled)}; {len(dead):,} dead letters")
    assert (lost, doubled) == (set(), set())
    assert {place for place in dead if letters[place] != 1} == set()
    report = recon.at_fence(settings, advance=True, timeout=PATIENCE)
    rows = sum(c.left_rows for c in report.comparisons)
    note(f"recon run --source: {rows:,} rows compared, {report.differences} differences, faults {report.faults}")
    assert report.agrees
    assert [fault for flow in hops.all_flows(settings) for fault in flow.faults] == []


def test_spark_driver_killed_inside_a_micro_batch(stack: Settings, tmp_path: Path, note: Note):
    checkpoints = stack.home / "speed" / "checkpoints"
    with shop_at_work(stack, "driver", tmp_path / "ledger.sqlite", seconds=40):
        pid = pid_of(stack, "speed")
        in_flight = eventually(lambda: open_batch(checkpoints), timeout=60, every=0.01)
        kill(pid)
        assert open_batch(checkpoints) is not None
        note(f"killed Spark (pid {pid}) inside micro-batch {in_flight[1]} of {in_flight[0]}")
        eventually(lambda: pid_of(stack, "speed") != pid, timeout=120)
    assert_whole(stack, tmp_path / "ledger.sqlite", note)


def behind(end: Callable[[], Position], held: Callable[[], Position]) -> Position | None:
    """Where ``held`` is behind; None if nowhere."""
    return held().behind(end()) if not held().covers(end()) else None


def test_connect_worker_killed_with_uncommitted_offsets(stack: Settings, tmp_path: Path, note: Note):
    kafka = bootstrap.kafka(stack)
    with shop_at_work(stack, "connect", tmp_path / "ledger.sqlite", seconds=40):
        pid = pid_of(stack, "connect")
        eventually(
            lambda: behind(lambda: kafka.end_position(hops.TOPICS), lambda: hops.lake_position(stack)), timeout=60
        )
        kill(pid)
        gap = behind(lambda: kafka.end_position(hops.TOPICS), lambda: hops.lake_position(stack))
        assert gap is not None
        note(f"killed Connect (pid {pid}); the lake had not committed above {gap.as_json()}")
        eventually(lambda: pid_of(stack, "connect") != pid, timeout=120)
    assert_whole(stack, tmp_path / "ledger.sqlite", note)


def test_broker_killed_under_load(stack: Settings, tmp_path: Path, note: Note):
    ledger = tmp_path / "ledger.sqlite"
    with shop_at_work(stack, "broker", ledger, seconds=40):
        pid = pid_of(stack, "kafka")
        open_records = eventually(lambda: unacknowledged(ledger), timeout=60, every=0.02)
        kill(pid)
        note(f"killed the broker (pid {pid}); {open_records} records sent were not acknowledged")
        eventually(lambda: pid_of(stack, "kafka") != pid, timeout=120)
    assert_whole(stack, ledger, note)


def unacknowledged(ledger: Path) -> int:
    with Ledger(ledger) as book:
        return sum(entry.offset is None for entry in book.entries())
