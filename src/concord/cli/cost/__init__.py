"""``concord cost``: what the warehouse costs, and what would make it cheaper."""

import typer

from concord.cli.cost.report import report
from concord.cli.cost.whatif import whatif

app = typer.Typer(help="What the warehouse costs, and what would make it cheaper.", no_args_is_help=True)
for command in (report, whatif):
    app.command()(command)
