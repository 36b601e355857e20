"""``concord warehouse``: set up a Snowflake account."""

import sys
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli.output import AsJson, console, errors, print_json
from concord.contracts.warehouse import ADMINISTRATOR
from concord.errors import Disagreement
from concord.provision import account_scripts, not_kept, set_up_account
from concord.settings import load_settings

app = typer.Typer(help="The warehouse's account: roles, warehouses, grants, masks.", no_args_is_help=True)

AsRole = Annotated[str, typer.Option("--role", help="The administrator's role.")]
Show = Annotated[bool, typer.Option("--show", help="Print the statements, and send none.")]


@app.callback()
def warehouse() -> None:
    """The warehouse's account."""


@app.command()
def setup(role: AsRole = ADMINISTRATOR, show: Show = False, as_json: AsJson = False) -> None:
    """Bring the account to what the contracts declare, then ask it what it has kept. Can be repeated: tables that are
    there take in what their contracts have gained, and no row is rewritten.

    Exit 6 if it took the statements and has kept nothing of them, as the local stand-in does.
    """
    settings = load_settings()
    if show:
        _show(account_scripts(settings))
        return
    with bootstrap.administrator(settings, role) as account, errors.status("set up") as status:
        done = set_up_account(account, settings, lambda title: status.update(title))
        missing = not_kept(account)
    if as_json:
        print_json({"statements": done.statements, "altered": done.altered, "not_kept": missing})
    else:
        console.print(f"{done.statements} statements taken by {account.address}", highlight=False)
        for altered in done.altered:
            console.print(f"altered {altered}", highlight=False)
    if missing:
        raise Disagreement(
            f"{account.address} took every statement and has kept no {', no '.join(missing)}",
            "so does the stand-in (docs/standins.md); on an account ask again as a role that may see them",
        )


def _show(scripts: dict[str, str]) -> None:
    for title, script in scripts.items():
        sys.stdout.write(f"-- {title}\n{script}\n")
