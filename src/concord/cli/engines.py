"""The engines as a whole: up, down, status, logs, reset."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from concord.cli import hops
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.errors import Misconfigured
from concord.platform import home, lifecycle
from concord.platform.catalogue import APPLICATIONS, STORES, engines
from concord.platform.states import EngineState, Health, engine_states
from concord.platform.supervisord import Supervisord
from concord.provision import provision
from concord.settings import Settings, load_settings

MIB = 1 << 20

OnlyStores = Annotated[bool, typer.Option("--stores", help="Start the engines, not the applications on them.")]
EngineName = Annotated[
    str | None, typer.Argument(help="One engine; all if not given.", autocompletion=lambda: [*STORES, *APPLICATIONS])
]


def up(stores: OnlyStores = False) -> None:
    """Start every engine, prepare it, and start the speed layer; what runs already is left alone."""
    bring_up(load_settings(), applications=not stores)


def bring_up(settings: Settings, applications: bool = True) -> None:
    """Stores first, then what they must hold, then what works on them."""
    with display() as shown:
        lifecycle.start(settings, STORES, shown)
        with shown.step("provision") as report:
            provision(settings, report)
        if applications:
            lifecycle.start(settings, APPLICATIONS, shown)


def down() -> None:
    """Stop everything, the last started first. Data stay."""
    with display() as shown:
        lifecycle.stop(load_settings(), shown)


def status(as_json: AsJson = False) -> None:
    """Each engine at a glance: real or stand-in, version, port, pid, memory, health."""
    settings = load_settings()
    states = engine_states(settings)
    answering = all(state.health is Health.OK for state in states if state.name not in APPLICATIONS)
    if as_json:
        layers = hops.document(settings) if answering else {}
        print_json({"engines": [asdict(state) for state in states], **layers})
        return
    console.print(status_table(states))
    if answering:
        console.print(hops.flow_table(hops.all_flows(settings)))
        console.print(hops.position_table(hops.positions(settings)))


def status_table(states: Sequence[EngineState]) -> Table:
    columns = ("engine", "is", "version", "port", "health", "pid", "MiB", "up", "restarts")
    view = table("Engines", columns, [_status_row(state) for state in states])
    # Nine columns in eighty characters.
    view.box, view.padding, view.show_edge = SIMPLE_HEAD, (0, 1, 0, 0), False
    return view


def _status_row(state: EngineState) -> tuple[object, ...]:
    return (
        state.name,
        "stand-in" if state.is_stand_in else "real",
        state.version.split("-")[0],
        str(state.ports[0]) if state.ports else None,
        state.health,
        str(state.pid) if state.pid else None,
        str(state.memory_bytes // MIB) if state.memory_bytes is not None else None,
        _duration(state.uptime_seconds),
        state.restarts,
    )


def _duration(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def logs(
    engine: EngineName = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing as lines come, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of each log to begin with.")] = 40,
) -> None:
    """Show the engines' logs."""
    settings = load_settings()
    known = engines(settings)
    if engine is not None and engine not in known:
        raise Misconfigured(f"there is no engine {engine}", f"one of: {', '.join(known)}")
    supervisord = Supervisord(settings.home)
    files = [log for name in ([engine] if engine else known) if (log := supervisord.log_of(name)).exists()]
    if not files:
        raise Misconfigured(f"no log of {engine or 'any engine'} in {settings.home / 'logs'}", "concord up starts it")
    _show(files, lines, follow)


def _show(files: Sequence[Path], lines: int, follow: bool) -> None:
    """Left to ``tail``, which every system of ours has and which follows rotated files."""
    mode = ["-F"] if follow else []
    sys.stdout.flush()
    os.execvp("tail", ["tail", *mode, "-n", str(lines), *map(str, files)])


def reset(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop everything and delete all data of this profile. Downloads are kept.

    A folder that Concord did not make is refused; what somebody else put into the home folder stays.
    """
    settings = load_settings()
    if home.is_empty(settings):
        console.print(f"nothing to delete in {settings.home}", highlight=False)
        return
    home.require_ours(settings)
    if not yes:
        typer.confirm(f"Stop the engines of {settings.home} and delete all their data?", abort=True)
    with display() as shown:
        lifecycle.reset(settings, shown)
    console.print(f"deleted the data in {settings.home}", highlight=False)


class _Display:
    """One line per engine, with its seconds; it becomes a line of the past once the engine is ready."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def begins(self, name: str) -> None:
        self._tasks[name] = self._progress.add_task(name, total=None, note="")

    def done(self, name: str, note: str) -> None:
        self._progress.remove_task(self._tasks.pop(name))
        self._progress.console.print(f"[green]✓[/green] {name:<14} {note}", highlight=False)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """A line for work of our own; the function given tells what is being done."""
        began = time.monotonic()
        self.begins(name)
        yield lambda note: self._progress.update(self._tasks[name], note=note)
        self.done(name, f"done after {time.monotonic() - began:.1f} s")


@contextmanager
def display() -> Iterator[_Display]:
    """Shows what starts and stops, while it does."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<14}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=errors, transient=True) as progress:
        yield _Display(progress)
