"""``concord quality freshness`` and ``failures``: what dbt says of the sources, and the rows that failed its tests."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated

import typer

from concord import bootstrap
from concord.batch.build import Fresh
from concord.cli.batch import dbt
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.contracts.position import Publication
from concord.errors import ContractViolation
from concord.quality.failures import failing, failures
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

Test = Annotated[str | None, typer.Argument(help="Name of a test: show the rows that fail it.")]
Limit = Annotated[int, typer.Option(min=1, help="How many rows at most.")]


def freshness_command(as_json: AsJson = False) -> None:
    """When each source was last loaded and the marts published. Exit 3 if a source is too old."""
    settings = load_settings()
    with errors.status("ask dbt how fresh the sources are"):
        sources = freshness(settings)
    published = bootstrap.snowflake(settings).publication()
    if as_json:
        print_json({"sources": [asdict(source) for source in sources], "published": _document(published)})
    else:
        console.print(table("Freshness", ["what", "newest (UTC)", "minutes ago", "state"], _rows(sources, published)))
    stale = [source.source for source in sources if source.state == "error"]
    if stale:
        raise ContractViolation(f"no batch has brought anything for too long: {', '.join(stale)}", "concord batch run")


def failures_command(test: Test = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Rows that failed dbt's tests in the last build: how many per test, or those of one test."""
    warehouse = bootstrap.snowflake(load_settings())
    if test is None:
        counted = failures(warehouse)
        if as_json:
            print_json([asdict(one) for one in counted])
        else:
            console.print(table("Rows that failed", ["test", "rows"], [(one.test, one.rows) for one in counted]))
        return
    columns, rows = failing(warehouse, test, limit)
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        console.print(table(test, columns, rows))


def freshness(settings: Settings) -> list[Fresh]:
    """In a folder of its own, so that a batch may run meanwhile."""
    return replace(dbt(settings), folder=settings.home / "quality" / "dbt").freshness()


def _document(published: Publication | None) -> dict[str, object] | None:
    if published is None:
        return None
    return {name: getattr(published, name) for name in ("batch_id", "as_of", "published_at")}


def _rows(sources: list[Fresh], published: Publication | None) -> list[tuple[object, ...]]:
    rows = [(source.source, _shown(source.loaded_at), _minutes(source.seconds_ago), source.state) for source in sources]
    if published is None:
        return [*rows, ("STAGING and MARTS", None, None, "nothing published")]
    seconds = (now() - published.published_at).total_seconds()
    as_of = f"published, as of {_shown(published.as_of)}"
    return [*rows, ("STAGING and MARTS", _shown(published.published_at), _minutes(seconds), as_of)]


def _shown(instant: datetime | None) -> str | None:
    return None if instant is None else f"{instant:%Y-%m-%d %H:%M:%S}"


def _minutes(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds / 60)
