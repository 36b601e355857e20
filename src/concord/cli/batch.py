"""``concord batch``: bring the warehouse up to the lake, and what was brought so far."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from concord import bootstrap
from concord.batch import job
from concord.batch.build import Dbt
from concord.batch.lease import lease
from concord.batch.publish import publications, unpublished
from concord.batch.verify_models import Compared, verify
from concord.cli import batch_metrics
from concord.cli.audited import audited, identity_of
from concord.cli.audited_batch import events_document, run_audited
from concord.cli.days import From, To, days_of
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.cli.progress import Steps
from concord.contracts.audit import Action
from concord.contracts.position import Position, Publication
from concord.errors import Disagreement
from concord.settings import PROJECT, Settings, child_environment, load_settings
from concord.telemetry.clock import now
from concord.telemetry.timed import Timed

NOT_PUBLISHED = "loaded, not published"

app = typer.Typer(help="Load the warehouse from the lake, build its models, publish them.", no_args_is_help=True)
app.command("metrics")(batch_metrics.metrics)

Again = Annotated[str | None, typer.Option(help="Run this published batch once more. Changes nothing.")]
BatchId = Annotated[
    str | None, typer.Option("--batch-id", help="Name of the new batch; made from its position if not given.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", help="Time (UTC) that models take instead of now; the latest change loaded if not given."),
]

Rebuild = Annotated[
    bool, typer.Option("--rebuild", help="Build every model anew, not only what changed; with --again at once.")
]


@app.command("run")
def run_command(
    again: Again = None,
    first: From = None,
    last: To = None,
    batch_id: BatchId = None,
    as_of: AsOf = None,
    rebuild: Rebuild = False,
    as_json: AsJson = False,
) -> None:
    """Load what the lake has and the warehouse has not, build and test what changed, publish it.

    With --from or --to: load once more what Kafka received on these days, as far as it is published.
    """
    days = days_of(first, last)
    is_repeated = again is not None or not days.are_all
    if is_repeated and (batch_id or as_of):
        raise typer.BadParameter("a batch that is run again keeps its name and its time", param_hint="--again")
    settings = load_settings()
    its = tools(settings)
    request = job.Request(now(), again, days, batch_id, as_of.replace(tzinfo=UTC) if as_of else None, rebuild)
    names = [again] if again or days.are_all else job.brought_on(its, days)
    told = [
        _run(settings, its, replace(request, again=name, rebuild=rebuild and name == names[-1]), as_json)
        for name in names
    ]
    if as_json:
        print_json(told if is_repeated and not again else told[0])


def _run(settings: Settings, its: job.Tools, request: job.Request, as_json: bool) -> dict[str, Any]:
    """One batch, shown unless it is wanted as a document."""
    steps = Steps(quiet=as_json)
    outcome = run_audited(settings, its, request, steps)
    if not as_json:
        show(outcome, steps.seconds)
    return document(outcome, steps.seconds)


@app.command("verify")
def verify_command(as_json: AsJson = False) -> None:
    """Build every model anew beside the published ones and compare row for row. Exit 6 on a difference."""
    settings = load_settings()
    its = tools(settings)
    facts = {"store": "warehouse", "identity": identity_of(its.warehouse)}
    with (
        audited(settings, Action.RUN, "batch verify", **facts) as noted,
        lease(its.folder),
        errors.status("build every model anew"),
    ):
        compared = verify(its.warehouse, its.dbt)
        apart = sum(one.only_published + one.only_anew for one in compared)
        noted.note(rows_in=sum(one.rows for one in compared), rows_rejected=apart)
    if as_json:
        print_json([{**asdict(one), "is_equal": one.is_equal} for one in compared])
    else:
        console.print(_comparison(compared))
    differing = [one.table for one in compared if not one.is_equal]
    if differing:
        hint = "`concord batch run --rebuild` builds every model anew and publishes it"
        raise Disagreement(f"published rows are not those of a full build: {', '.join(differing)}", hint)


@app.command("docs")
def docs_command(
    to: Annotated[Path, typer.Option(help="The page to write.")] = Path("dbt-docs.html"),
) -> None:
    """Write the documentation of every model and column, with their lineage, as one page."""
    its = tools(load_settings())
    newest = its.warehouse.publication()
    as_of, position = (newest.as_of, newest.position) if newest else (now(), Position())
    with lease(its.folder), errors.status("document the models"):
        shutil.copyfile(its.dbt.document(as_of, position), to)
    console.print(f"wrote {to}", highlight=False)


def _comparison(compared: Sequence[Compared]) -> Table:
    rows = [
        (one.table, one.rows, one.only_published, one.only_anew, "yes" if one.is_equal else f"no: {_keys_of(one)}")
        for one in compared
    ]
    return table("Published against built anew", ["table", "rows", "only published", "only anew", "equal"], rows)


def _keys_of(one: Compared) -> str:
    return "; ".join(", ".join(map(str, key)) for key in one.keys)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Every batch: its position and whether readers see it."""
    warehouse = bootstrap.snowflake(load_settings())
    published, dead = publications(warehouse), unpublished(warehouse)
    if as_json:
        print_json([*map(_publication, published), *({"batch_id": name, "state": NOT_PUBLISHED} for name in dead)])
        return
    rows: list[tuple[object, ...]] = [
        (p.batch_id, _state(p, published), _shown(p.published_at), _shown(p.as_of), _held(p)) for p in published
    ]
    rows += [(name, NOT_PUBLISHED, None, None, None) for name in dead]
    console.print(table("Batches", ["batch", "state", "published (UTC)", "as of (UTC)", "last offsets held"], rows))


def run_batch(settings: Settings, again: str | None = None) -> job.Outcome:
    """One batch, told nobody step by step; ``again`` names a published one to run once more."""
    return run_audited(settings, tools(settings), job.Request(now(), again), Timed())


def tools(settings: Settings) -> job.Tools:
    """What a batch works with, as the settings say."""
    loader = bootstrap.loader(settings)
    return job.Tools(
        lake=bootstrap.lake(settings),
        warehouse=bootstrap.snowflake(settings),
        loader=loader,
        speed=bootstrap.clickhouse(settings),
        # A batch uses most of what Spark jobs here do: the first one makes the later ones start in half the time.
        spark=lambda: bootstrap.spark_for(settings, job.APP_NAME, settings.spark.batch_memory, leaves_classes=True),
        connector_options=loader.spark_options(),
        dbt=dbt(settings),
        folder=settings.home / "batch",
    )


def dbt(settings: Settings) -> Dbt:
    """The project in this checkout, its addresses and its password or key from the settings by environment."""
    account = bootstrap.snowflake(settings)
    environment = child_environment(
        CONCORD_DBT_ACCOUNT=account.account,
        CONCORD_DBT_HOST=account.host,
        CONCORD_DBT_PORT=str(account.port),
        CONCORD_DBT_PROTOCOL=account.protocol,
        CONCORD_DBT_USER=account.user,
        CONCORD_DBT_DATABASE=account.database,
        CONCORD_DBT_WAREHOUSE=account.warehouse,
        CONCORD_DBT_ROLE=account.role,
        CONCORD_DBT_PRIVATE_KEY_PATH=str(account.private_key_file or ""),
        DBT_ENV_SECRET_CONCORD_PASSWORD=account.password or "",
    )
    return Dbt(PROJECT / "dbt_project", settings.home / "batch" / "dbt", environment)


def document(outcome: job.Outcome, seconds: dict[str, float]) -> dict[str, Any]:
    """The outcome as one JSON document."""
    if outcome.publication is None:
        return {"nothing_new": True, "seconds": seconds}
    assert outcome.built is not None
    return {
        "nothing_new": False,
        "batch_id": outcome.batch_id,
        "published": _publication(outcome.publication),
        "tables": {
            one.table: {"rows_read": one.rows_read, "rows_inserted": one.rows_inserted} for one in outcome.loaded
        },
        "events": events_document(outcome),
        "set_aside": [asdict(aside) for one in outcome.loaded for aside in one.set_aside],
        "mirrors": {
            one.table: {"changed_keys": one.changed_keys, "rebuilt": one.is_rebuilt} for one in outcome.mirrored
        },
        "models": outcome.built.models,
        "tests_passed": outcome.built.tests_passed,
        "tests_warned": list(outcome.built.warnings),
        "seconds": seconds,
    }


def show(outcome: job.Outcome, seconds: dict[str, float]) -> None:
    """The outcome for people."""
    if outcome.publication is None or outcome.built is None:
        console.print("nothing new in the lake since the last published batch")
        return
    rows = [(one.table, one.rows_read, one.rows_inserted, one.rows_read - one.rows_inserted) for one in outcome.loaded]
    console.print(table(f"Batch {outcome.batch_id}", ["table", "rows read", "inserted", "there already"], rows))
    for aside in (aside for one in outcome.loaded for aside in one.set_aside):
        what = f"{aside.table}: {aside.records:,} changes set aside: {aside.pointer or 'the record'} {aside.detail}"
        console.print(f"[yellow]{escape(what)}[/yellow]", highlight=False)
    mirrored = ", ".join(f"{one.table} {one.changed_keys:,}" for one in outcome.mirrored)
    if mirrored:
        console.print(f"mirrors: keys changed: {mirrored}", highlight=False)
    if events := events_document(outcome):
        console.print(
            "events: {records_in:,} records = {stored:,} stored + {dead:,} dead + {duplicate:,} copies".format(
                **events
            ),
            highlight=False,
        )
    built = outcome.built
    counted = f"{built.models} models, {built.tests_passed} tests passed, {len(built.warnings)} warned"
    console.print(counted, highlight=False)
    for warning in built.warnings:
        console.print(f"[yellow]warned[/yellow] {warning}", highlight=False)
    published = outcome.publication
    console.print(f"published {published.batch_id} as of {published.as_of:%Y-%m-%d %H:%M:%S} UTC", highlight=False)
    console.print(f"[dim]{sum(seconds.values()):.1f} s in all[/dim]", highlight=False)


def _publication(publication: Publication) -> dict[str, Any]:
    return {
        "batch_id": publication.batch_id,
        "state": "published",
        "position": publication.position.as_json(),
        "as_of": publication.as_of.isoformat(),
        "published_at": publication.published_at.isoformat(),
    }


def _state(publication: Publication, published: list[Publication]) -> str:
    return "shown to readers" if publication is published[-1] else "published"


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"


def _held(publication: Publication) -> str:
    return "\n".join(
        f"{topic.rsplit('.', 1)[-1]}: {' '.join(str(last) for last in partitions.values())}"
        for topic, partitions in publication.position.as_json().items()
    )
