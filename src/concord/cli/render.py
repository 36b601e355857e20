"""``concord render``: bring the generated files up to date, or say which are not."""

from typing import Annotated

import typer

from concord.cli.output import AsJson, console, print_json
from concord.errors import Disagreement
from concord.render.files import rendered_files, stale_files, write_files
from concord.settings import PROJECT


def render(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 6 if a file is out of date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write DDL, JSON Schemas and dbt sources from the contracts."""
    changed = stale_files(PROJECT) if check else write_files(PROJECT)
    if as_json:
        print_json({"files": len(rendered_files()), "out_of_date" if check else "written": changed})
    elif not check:
        console.print(f"{len(rendered_files())} generated files, {len(changed)} written", highlight=False)
    if check and changed:
        raise Disagreement(f"out of date: {', '.join(changed)}", "run `concord render` and commit the result")
