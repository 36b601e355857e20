"""The process around the queries: ready when both have triggered, stopped between batches, loud when one fails."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from concord.errors import Unavailable
from concord.speed.run import has_triggered, run

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeQuery:
    """A streaming query as far as its process looks at it."""

    name: str = "speed.test"
    isActive: bool = True
    lastProgress: dict[str, Any] | None = None
    message: str = "Initializing sources"
    open_looks: int = 0
    error: str | None = None
    calls: list[str] = field(default_factory=list)

    @property
    def status(self) -> dict[str, Any]:
        self.open_looks -= 1
        self.calls.append("looked")
        return {"message": self.message, "isTriggerActive": self.open_looks > 0}

    def exception(self) -> str | None:
        return self.error

    def stop(self) -> None:
        self.calls.append("stopped")
        self.isActive = False


def stop_when(condition: Callable[[], bool]) -> threading.Event:
    """An event that counts as set as soon as ``condition`` holds; it never sleeps."""

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return condition()

    return Event()


def test_a_query_that_only_started_has_not_triggered() -> None:
    assert not has_triggered(FakeQuery())
    assert has_triggered(FakeQuery(message="Waiting for data to arrive"))
    assert has_triggered(FakeQuery(lastProgress={"batchId": 0}))


def test_readiness_is_there_while_both_run_and_gone_afterwards(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    seen: list[dict[str, str]] = []

    def look() -> bool:
        if ready.exists():
            seen.append(json.loads(ready.read_text()))
        return bool(seen)

    run([FakeQuery(lastProgress={}), FakeQuery(lastProgress={})], stop_when(look), ready, lambda: START)

    assert seen[0]["started_at"] == START.isoformat()
    assert not ready.exists()


def test_one_query_that_has_not_triggered_keeps_it_from_being_ready(tmp_path: Path) -> None:
    slow, rounds = FakeQuery(), iter(range(5))

    run([FakeQuery(lastProgress={}), slow], stop_when(lambda: next(rounds) == 4), tmp_path / "ready", lambda: START)

    assert not (tmp_path / "ready").exists()
    assert slow.calls[-1] == "stopped"


def test_a_failed_query_ends_the_process_with_its_reason(tmp_path: Path) -> None:
    trace = "Job aborted.\nTraceback\nconcord.errors.Unavailable: ClickHouse at x does not answer\nmore"
    failed, other = FakeQuery(isActive=False, error=trace), FakeQuery()

    with pytest.raises(Unavailable, match="stopped: ClickHouse at x does not answer"):
        run([other, failed], stop_when(lambda: False), tmp_path / "ready", lambda: START)

    assert other.calls[-1] == "stopped"


def test_an_open_micro_batch_is_finished_before_the_stop(tmp_path: Path) -> None:
    busy = FakeQuery(lastProgress={}, open_looks=3)

    run([busy], stop_when(lambda: True), tmp_path / "ready", lambda: START)

    assert busy.calls == ["looked", "looked", "looked", "stopped"]
