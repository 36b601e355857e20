"""Fill the cache folder with what is no Python package: Java libraries, ClickHouse's engine, PostgreSQL's programs.

Idempotent, resumable, atomic per part, one process at a time; every file is compared with its lock.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import stamina.instrumentation
from rich.console import Console

from concord.platform.install import clickhouse, folders, jar_sets, postgres, stamps
from concord.platform.install.locks import JAR_SETS, STORE_JAR_SET
from concord.platform.install.progress import Downloads
from concord.settings import Settings


@dataclass(frozen=True)
class Part:
    """One thing to install. ``missing`` is quick and names what is lacking, ``install`` makes it complete."""

    name: str
    folder: Path
    missing: Callable[[], list[str]]
    install: Callable[[Downloads], None]


@dataclass(frozen=True)
class Outcome:
    """A part that is complete now; ``seconds`` is 0 if it was so before."""

    part: str
    folder: Path
    size: int
    seconds: float


def parts(settings: Settings) -> list[Part]:
    """Everything ``concord setup`` puts on this machine, PostgreSQL's copy only where it is needed."""
    sets = [_jar_set(settings, name) for name in (*JAR_SETS, *_asked_for(settings))]
    return [*sets, _clickhouse_library(settings), *([_postgres(settings)] if postgres.needs_copy() else [])]


def _asked_for(settings: Settings) -> tuple[str, ...]:
    """Jar sets that only some profiles need."""
    return (STORE_JAR_SET,) if settings.spark.checkpoints else ()


def install(settings: Settings, console: Console) -> list[Outcome]:
    """Make every part complete; raises what names the file, disk or address that is at fault."""
    waiting = partial(console.print, f"another setup is filling {settings.cache}; waiting for it")
    with folders.one_at_a_time(settings.cache, waiting), _quiet_retries(), Downloads(console) as downloads:
        return [_complete(settings, part, downloads) for part in parts(settings)]


@contextmanager
def _quiet_retries() -> Iterator[None]:
    """The bars show what goes on; a second try of one file among many is no news."""
    hooks = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks(())
    try:
        yield
    finally:
        stamina.instrumentation.set_on_retry_hooks(hooks)


def _complete(settings: Settings, part: Part, downloads: Downloads) -> Outcome:
    started = time.monotonic()
    if not part.missing():
        return Outcome(part.name, part.folder, stamps.size(part.folder), 0.0)
    with folders.naming_a_full_disk(part.name):
        part.install(downloads)
    outcome = Outcome(part.name, part.folder, stamps.size(part.folder), time.monotonic() - started)
    downloads.say(f"{part.name}: {outcome.size / 1e6:,.0f} MB in {outcome.seconds:.0f} s")
    return outcome


def _jar_set(settings: Settings, name: str) -> Part:
    return Part(
        f"{name} jars",
        jar_sets.folder(settings, name),
        partial(jar_sets.missing, settings, name),
        lambda downloads: jar_sets.install(settings, name, downloads),
    )


def _clickhouse_library(settings: Settings) -> Part:
    return Part(
        "ClickHouse library",
        clickhouse.folder(settings),
        partial(clickhouse.missing, settings),
        partial(clickhouse.install, settings),
    )


def _postgres(settings: Settings) -> Part:
    return Part(
        "PostgreSQL programs",
        postgres.folder(settings),
        partial(postgres.missing, settings),
        lambda _: postgres.install(settings),
    )
