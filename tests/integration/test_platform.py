"""Engines under their supervisor: started, killed, changed, stopped."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest

from concord.errors import Misconfigured, Unavailable
from concord.platform import lifecycle
from concord.platform.catalogue import STORES
from concord.platform.launchers import clickhouse, kafka, postgres
from concord.platform.states import EngineState, Health, engine_states
from concord.platform.supervisord import Supervisord
from concord.settings import Settings
from tests.stack import free_ports, profile_with, temporary_home
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


class Notes:
    """Keeps what the lifecycle tells."""

    def __init__(self) -> None:
        self.done_with: dict[str, str] = {}

    def begins(self, name: str) -> None: ...

    def done(self, name: str, note: str) -> None:
        self.done_with[name] = note


def _states(settings: Settings) -> dict[str, EngineState]:
    return {state.name: state for state in engine_states(settings)}


def _with(settings: Settings, **changes: Any) -> Settings:
    return Settings(**{**settings.model_dump(), **changes})


@pytest.fixture
def scratch(settings: Settings) -> Iterator[Settings]:
    """A stack beside the tests' stack, of which nothing runs yet."""
    home = temporary_home()
    own = _with(settings, home=home, **profile_with(free_ports()))
    yield own
    lifecycle.stop(own, Notes())
    shutil.rmtree(home)


def test_every_store_is_ready_and_says_what_it_is(settings: Settings) -> None:
    states = _states(settings)
    assert {name: states[name].health for name in STORES} == dict.fromkeys(STORES, Health.OK)
    assert all(state.pid and state.memory_bytes for name, state in states.items() if name in STORES)
    assert {name for name, state in states.items() if state.is_stand_in} == {"snowflake"}


def test_starting_again_leaves_running_engines_alone(settings: Settings) -> None:
    before = _states(settings)
    notes = Notes()
    lifecycle.start(settings, STORES, notes)
    assert {name: state.pid for name, state in _states(settings).items()} == {n: s.pid for n, s in before.items()}
    assert set(notes.done_with.values()) == {"was running"}


def test_a_killed_engine_is_started_again_with_its_data(settings: Settings) -> None:
    before = _states(settings)[clickhouse.NAME]
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: _states(settings)[clickhouse.NAME].pid not in (None, before.pid))
    eventually(lambda: _states(settings)[clickhouse.NAME].health is Health.OK)
    assert _states(settings)[clickhouse.NAME].restarts == before.restarts + 1


def test_a_taken_port_is_named_with_its_process_before_anything_starts(scratch: Settings) -> None:
    taken = socket.create_server(("127.0.0.1", scratch.postgres.port))
    with closing(taken), pytest.raises(Misconfigured) as refusal:
        lifecycle.start(scratch, (postgres.NAME,), Notes())
    assert f"port {scratch.postgres.port} of postgres is taken by" in refusal.value.message
    assert f"(pid {os.getpid()})" in refusal.value.message
    assert _states(scratch)[postgres.NAME].health is Health.STOPPED


def test_an_engine_that_does_not_become_ready_shows_its_last_words(scratch: Settings) -> None:
    broken = _with(scratch, kafka=scratch.kafka.model_dump() | {"heap": "1k"})
    with pytest.raises(Unavailable) as refusal:
        lifecycle.start(broken, (kafka.NAME,), Notes())
    assert "kafka" in refusal.value.message
    assert "heap" in refusal.value.hint


def test_only_an_engine_whose_configuration_changed_is_restarted(scratch: Settings) -> None:
    both = (clickhouse.NAME, postgres.NAME)
    lifecycle.start(scratch, both, Notes())
    before = _states(scratch)
    changed = _with(scratch, clickhouse=scratch.clickhouse.model_dump() | {"max_memory_bytes": 1 << 30})
    lifecycle.start(changed, both, Notes())
    after = _states(changed)
    assert after[clickhouse.NAME].pid != before[clickhouse.NAME].pid
    assert after[postgres.NAME].pid == before[postgres.NAME].pid
    assert after[clickhouse.NAME].restarts == 0


def test_nothing_is_left_after_a_stop_and_the_data_are(scratch: Settings) -> None:
    lifecycle.start(scratch, (postgres.NAME,), Notes())
    system_identifier = (scratch.home / "postgres" / "data" / "PG_VERSION").stat().st_ino
    pids = [state.pid for state in _states(scratch).values() if state.pid]
    supervisor = Supervisord(scratch.home).pid()
    lifecycle.stop(scratch, Notes())
    assert not any(psutil.pid_exists(pid) for pid in [*pids, supervisor])
    lifecycle.start(scratch, (postgres.NAME,), Notes())
    assert (scratch.home / "postgres" / "data" / "PG_VERSION").stat().st_ino == system_identifier


def test_a_reset_stops_what_runs_and_deletes_what_it_stored(scratch: Settings) -> None:
    lifecycle.start(scratch, (clickhouse.NAME,), Notes())
    pids = [state.pid for state in _states(scratch).values() if state.pid]
    (scratch.home / "notes.txt").write_text("mine")
    lifecycle.reset(scratch, Notes())
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert {entry.name for entry in scratch.home.iterdir()} == {"lock", "notes.txt"}


def test_engines_that_outlived_their_supervisor_are_ended_before_a_start(scratch: Settings) -> None:
    lifecycle.start(scratch, (clickhouse.NAME,), Notes())
    orphan = _states(scratch)[clickhouse.NAME].pid
    os.kill(Supervisord(scratch.home).pid(), signal.SIGKILL)
    eventually(lambda: not Supervisord(scratch.home).is_running())
    lifecycle.start(scratch, (clickhouse.NAME,), Notes())
    assert _states(scratch)[clickhouse.NAME].pid != orphan
    assert _states(scratch)[clickhouse.NAME].health is Health.OK


def test_postgres_never_runs_as_root(settings: Settings) -> None:
    pid = _states(settings)[postgres.NAME].pid
    assert pid
    assert psutil.Process(pid).uids().real != 0
