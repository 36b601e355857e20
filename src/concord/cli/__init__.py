"""The command line: one module per command or group, imported when it is called."""

import errno
import os
import signal
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from typer.core import TyperGroup

from concord.cli.output import errors
from concord.errors import ConcordError, ExitCode
from concord.telemetry import logging

SIGNALLED = 128
"""Added to a signal's number, it is the exit code of what the signal ended, as shells have it."""
EPILOG = (
    "Exit codes: 0 done, 1 unexpected, 2 usage, 3 the data breaks its contract, "
    "4 an engine does not answer, 5 something must be set right first, 6 stores disagree, "
    "130 interrupted, 143 terminated."
)

COMMANDS = {
    "setup": "concord.cli.setup:setup",
    "doctor": "concord.cli.doctor:doctor",
    "demo": "concord.cli.demo:demo",
    "up": "concord.cli.engines:up",
    "down": "concord.cli.engines:down",
    "status": "concord.cli.engines:status",
    "logs": "concord.cli.engines:logs",
    "load": "concord.cli.load:app",
    "generate": "concord.cli.generate:generate",
    "stream": "concord.cli.stream:stream",
    "replay": "concord.cli.replay:replay",
    "watch": "concord.cli.live:watch",
    "tend": "concord.cli.tend:tend",
    "batch": "concord.cli.batch:app",
    "lake": "concord.cli.lake:app",
    "recon": "concord.cli.recon:app",
    "quality": "concord.cli.quality:app",
    "trace": "concord.cli.trace:trace",
    "lineage": "concord.cli.lineage:lineage",
    "warehouse": "concord.cli.warehouse:app",
    "audit": "concord.cli.audit:audit",
    "erase": "concord.cli.erase:app",
    "schema": "concord.cli.schema:app",
    "cost": "concord.cli.cost:app",
    "query": "concord.cli.query:query",
    "sql": "concord.cli.sql:sql",
    "dlq": "concord.cli.dlq:app",
    "scale": "concord.cli.scale:scale",
    "capacity": "concord.cli.capacity:capacity",
    "bench": "concord.cli.bench:app",
    "chaos": "concord.cli.chaos:app",
    "verify": "concord.cli.verify:app",
    "render": "concord.cli.render:render",
    "reset": "concord.cli.engines:reset",
}
"""In the order of the help. ``app`` is a group, anything else a function."""


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is asked for: a client library takes seconds to load."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        return _command(cmd_name, getattr(import_module(module), attribute))


def _command(name: str, target: Any) -> Any:
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer()
        target.command(name)(function)
    target._add_completion = False  # the root has it
    command = typer.main.get_command(target)
    command.name = name
    return command


app = typer.Typer(
    name="concord",
    cls=LazyGroup,
    help="A data platform of two layers, speed and batch, that provably agree.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"concord {version('concord')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")]


@app.callback()
def concord(is_asked_for_version: Version = False) -> None:
    """A data platform of two layers, speed and batch, that provably agree."""


def main() -> None:
    """Run the command line; the one place where an error becomes words and an exit code."""
    logging.configure("ERROR")  # a retry that helped is no news here; engines log theirs
    signal.signal(signal.SIGTERM, _terminated)
    try:
        _run()
    except ConcordError as error:
        _fail(error)
    except Exception as error:
        from concord.cli import disk  # takes half a second to load

        explained = disk.in_words(error)
        if explained is None:
            raise
        _fail(explained)


def _terminated(number: int, _: object) -> NoReturn:
    """A command that is told to end tidies up as it does after an interrupt: engines of its own are stopped."""
    raise SystemExit(SIGNALLED + number)


def _run() -> None:
    try:
        app()
    finally:
        _flush_output()


def _flush_output() -> None:
    """What was printed has arrived; a reader who left early is no failure, a full disk is."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again, and complain
        if error.errno != errno.EPIPE:
            raise


def _fail(error: ConcordError) -> NoReturn:
    errors.print(f"[red]error:[/red] {escape(error.message)}", highlight=False)
    for note in filter(None, (error.hint, _of_the_disk(error))):
        errors.print(f"[dim]{escape(note)}[/dim]", highlight=False)
    sys.exit(int(error.exit_code))


def _of_the_disk(error: ConcordError) -> str:
    """An engine on a full disk fails in words of its own."""
    from concord.cli import disk

    return disk.nearly_full() if error.exit_code == ExitCode.UNAVAILABLE else ""
