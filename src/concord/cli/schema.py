"""``concord schema``: what a change of a table in PostgreSQL would do, before it is made."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from concord.cli.output import AsJson, console, print_json, table
from concord.errors import ExitCode
from concord.evolution.rehearse import Effect, Verdict, rehearse
from concord.evolution.statement import alteration

app = typer.Typer(help="Changes of a table in PostgreSQL, rehearsed.", no_args_is_help=True)

Statement = Annotated[str, typer.Argument(metavar="STATEMENT", help='One ALTER TABLE, in quotes: "ALTER TABLE …".')]
COLOURS = {Verdict.FLOWS: "green", Verdict.DIFFERS: "yellow", Verdict.SET_ASIDE: "red", Verdict.REFUSED: "red"}


@app.callback()
def schema() -> None:
    """Changes of a table in PostgreSQL, rehearsed."""


@app.command(name="rehearse")
def rehearsed(statement: Statement, as_json: AsJson = False) -> None:
    """What an ALTER TABLE would do at every hop. Exit 3 if something would be refused, set aside or differ.

    Told from the contract alone: no engine is asked, and nothing is done.
    """
    planned = alteration(statement)
    effects = rehearse(planned)
    if as_json:
        print_json({"table": planned.table.name, "effects": [_document(effect) for effect in effects]})
    else:
        for effect in effects:
            _show(planned.table.name, effect)
    if not all(effect.is_clean for effect in effects):
        raise typer.Exit(int(ExitCode.CONTRACT_VIOLATION))


def _document(effect: Effect) -> dict[str, Any]:
    hops = {str(hop): {"verdict": str(said.verdict), "what": said.what} for hop, said in effect.hops.items()}
    return {"action": effect.action, "is_clean": effect.is_clean, "hops": hops, "advice": list(effect.advice)}


def _show(name: str, effect: Effect) -> None:
    rows = [
        (hop, f"[{COLOURS[said.verdict]}]{said.verdict}[/]", escape(said.what)) for hop, said in effect.hops.items()
    ]
    console.print(table(escape(f"{name}: {effect.action}"), ["hop", "verdict", "what happens"], rows))
    for line in effect.advice:
        console.print(f"→ {escape(line)}", highlight=False)
