"""``concord setup``: what is no Python package, put on this machine."""

from dataclasses import asdict

from concord.cli.output import AsJson, console, errors, print_json, table
from concord.platform.install import Outcome, install
from concord.settings import load_settings


def setup(as_json: AsJson = False) -> None:
    """Fetch what the engines need: Java libraries and ClickHouse, compared with their locks.

    What is finished is not fetched again; the second time needs no network.
    """
    outcomes = install(load_settings(), errors)
    if as_json:
        print_json([asdict(outcome) for outcome in outcomes])
    elif any(outcome.seconds for outcome in outcomes):
        console.print(table("Installed", ("part", "size", "took", "folder"), [_row(outcome) for outcome in outcomes]))
    else:
        console.print(f"everything is installed in {load_settings().cache}", highlight=False)


def _row(outcome: Outcome) -> tuple[str, str, str, str]:
    took = f"{outcome.seconds:.0f} s" if outcome.seconds else "was there"
    return outcome.part, f"{outcome.size / 1e6:,.0f} MB", took, str(outcome.folder)
