"""Starting and stopping engines: in the order of their needs, in parallel where they have none."""

import fcntl
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Protocol

from concord.errors import Misconfigured, Unavailable
from concord.platform import home, leftovers, secret_files
from concord.platform.accounts import own
from concord.platform.catalogue import engines
from concord.platform.engine import Engine, Launch
from concord.platform.ports import holders
from concord.platform.supervisord import Supervisord
from concord.settings import Settings

POLL_SECONDS = 0.2
LOG_LINES_SHOWN = 20
STARTS_UNTIL_GIVEN_UP = 3


class Watcher(Protocol):
    """Is told what happens, from several threads."""

    def begins(self, name: str) -> None: ...

    def done(self, name: str, note: str) -> None: ...


def start(settings: Settings, wanted: Collection[str], watcher: Watcher) -> None:
    """Every engine of ``wanted`` runs as configured now and is ready.

    One that runs already in just this way is left alone, one that was configured otherwise is
    restarted. Nothing is started if a program, a secret or a port is missing, or disk space: that is
    asked for only while nothing runs.
    """
    supervisord = Supervisord(settings.home)
    if not supervisord.is_running():
        home.require_room(settings.home)
    home.make(settings.home)
    with _alone(settings):
        secret_files.create_missing(settings)
        chosen = {name: engine for name, engine in engines(settings).items() if name in wanted}
        launches = {name: engine.launch() for name, engine in chosen.items()}
        if not supervisord.is_running():
            leftovers.end(supervisord.configured_commands())
        supervisord.ensure_running()
        running = {name for name, state in supervisord.states().items() if state.is_running}
        _require_free_ports([engine for name, engine in chosen.items() if name not in running])
        in_order(_needs(chosen), lambda name: _bring_up(supervisord, chosen[name], launches[name], watcher))


def stop(settings: Settings, watcher: Watcher) -> None:
    """Nothing of the stack runs afterwards; engines are stopped before those they need."""
    if Supervisord(settings.home).folder.exists():
        with _alone(settings):
            _stop_all(settings, watcher)


def reset(settings: Settings, watcher: Watcher) -> None:
    """Nothing of the stack runs or is stored afterwards. Raises :class:`Misconfigured` if the home is not Concord's."""
    home.require_ours(settings)
    with _alone(settings):
        _stop_all(settings, watcher)
        home.delete_all(settings)


def _stop_all(settings: Settings, watcher: Watcher) -> None:
    supervisord = Supervisord(settings.home)
    if not supervisord.is_running():
        leftovers.end(supervisord.configured_commands())
        return
    states, known = supervisord.states(), engines(settings)
    running = {name: known[name] for name in states if name in known}
    pids = [state.pid for state in states.values() if state.pid] + [supervisord.pid()]
    family = leftovers.family(pids)
    in_order(reversed_graph(_needs(running)), lambda name: _bring_down(supervisord, name, watcher))
    supervisord.shutdown()
    leftovers.require_gone(family)


def last_lines(log: Path, count: int = LOG_LINES_SHOWN) -> str:
    """The end of a log, or nothing where there is none."""
    if not log.exists():
        return ""
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, maxlen=count)).rstrip()


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Two of us at once would fight over the same engines."""
    with (settings.home / home.LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy = f"another concord up, down or reset works on {settings.home}"
            raise Misconfigured(busy, "wait until it is done") from None
        yield


def _require_free_ports(chosen: Collection[Engine]) -> None:
    owners = {port: engine.name for engine in chosen for port in engine.ports}
    if taken := holders(owners):
        lines = (f"port {port} of {owners[port]} is taken by {holder}" for port, holder in sorted(taken.items()))
        raise Misconfigured("; ".join(lines), "stop that process, or set other ports in the profile")


def _needs(chosen: Mapping[str, Engine]) -> dict[str, set[str]]:
    """The graph among ``chosen``; what is needed besides must run already."""
    return {name: {need for need in engine.needs if need in chosen} for name, engine in chosen.items()}


def reversed_graph(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    return {name: {other for other, needs in graph.items() if name in needs} for name in graph}


def in_order(graph: Mapping[str, set[str]], work: Callable[[str], None]) -> None:
    """Do ``work`` for every node after those it depends on; the first failure ends it once running work is done."""
    order = TopologicalSorter(graph)
    order.prepare()
    with ThreadPoolExecutor(max_workers=max(1, len(graph))) as pool:
        running: dict[Future[None], str] = {}
        while order.is_active():
            running |= {pool.submit(work, name): name for name in order.get_ready()}
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                order.done(running.pop(future))


def _bring_up(supervisord: Supervisord, engine: Engine, launch: Launch, watcher: Watcher) -> None:
    began = time.monotonic()
    watcher.begins(engine.name)
    if supervisord.state(engine.name).is_running and not supervisord.would_change(engine.name, launch):
        _wait_until_ready(supervisord, engine)
        watcher.done(engine.name, "was running")
        return
    _write_files(supervisord.home / engine.name, launch)
    supervisord.configure(engine.name, launch)
    launch.prepare()
    supervisord.start(engine.name)
    _wait_until_ready(supervisord, engine)
    watcher.done(engine.name, f"ready after {time.monotonic() - began:.1f} s")


def _write_files(folder: Path, launch: Launch) -> None:
    folder.mkdir(exist_ok=True)
    for path, text in launch.files.items():
        path.touch(mode=0o600)
        path.write_text(text)
        own(path, launch.user)


def _wait_until_ready(supervisord: Supervisord, engine: Engine) -> None:
    deadline = time.monotonic() + engine.ready_within_seconds
    pids: set[int] = set()
    while not engine.is_ready():
        state = supervisord.state(engine.name)
        pids |= {state.pid} if state.pid else set()
        if state.has_given_up or len(pids) >= STARTS_UNTIL_GIVEN_UP or time.monotonic() > deadline:
            raise _not_ready(supervisord, engine)
        time.sleep(POLL_SECONDS)


def _not_ready(supervisord: Supervisord, engine: Engine) -> Unavailable:
    """Says what the engine said last, and ends it: a program that fails over and over helps nobody."""
    supervisord.stop(engine.name)
    log = supervisord.log_of(engine.name)
    return Unavailable(f"{engine.name} does not become ready; its last words are in {log}", last_lines(log))


def _bring_down(supervisord: Supervisord, name: str, watcher: Watcher) -> None:
    began = time.monotonic()
    watcher.begins(name)
    supervisord.stop(name)
    watcher.done(name, f"stopped after {time.monotonic() - began:.1f} s")
