"""``concord batch metrics``: customer, product, order and funnel metrics by Spark, in the lake."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import typer

from concord import bootstrap
from concord.batch.job import APP_NAME
from concord.batch.job_runs import JobRun
from concord.batch.lease import lease
from concord.batch.metrics import job
from concord.cli.audited import audited
from concord.cli.days import From, To, days_of
from concord.cli.output import AsJson, console, print_json, table
from concord.cli.progress import Steps
from concord.cli.published import batch
from concord.contracts.audit import Action
from concord.contracts.lake_metrics import LAKE_METRICS
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

MEGABYTE = 1 << 20


def _all_known(names: list[str] | None) -> list[str]:
    for name in names or []:
        if name not in LAKE_METRICS:
            raise typer.BadParameter(f"{name} is none of {', '.join(LAKE_METRICS)}")
    return list(dict.fromkeys(names or LAKE_METRICS))


Tables = Annotated[
    list[str] | None, typer.Argument(callback=_all_known, metavar="[TABLE]...", help="All four if none is named.")
]
Full = Annotated[bool, typer.Option("--full", help="Every day, not only what changed since the last time.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", help="Time (UTC) that customers are measured at; the published batch's if not given."),
]


def metrics(
    tables: Tables = None,
    first: From = None,
    last: To = None,
    full: Full = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Compute metrics of customers, products, orders and visits with Spark, at the newest published batch's position.

    Without a range and without --full only the days that changes have touched since the last time.
    """
    days = days_of(first, last)
    if full and not days.are_all:
        raise typer.BadParameter("--full is every day: leave --from and --to out", param_hint="--full")
    settings = load_settings()
    published = batch(settings, None)
    request = job.Request(
        run_id=str(uuid4()),
        position=published.position,
        as_of=as_of.replace(tzinfo=UTC) if as_of else published.as_of,
        tables=tuple(tables or LAKE_METRICS),
        days=None if days.are_all else days,
        is_full=full,
    )
    show(run(settings, request, Steps(quiet=as_json)), request, as_json)


def run(settings: Settings, request: job.Request, steps: Steps) -> list[JobRun]:
    """One run; no batch and no maintenance beside it, for both move what it reads."""
    facts = {"store": "lake", "identity": bootstrap.lake(settings).identity, "read_at": request.position.as_json()}
    with (
        audited(settings, Action.RUN, "batch metrics", **facts) as noted,
        lease(settings.home / "batch"),
        bootstrap.spark_for(settings, APP_NAME, settings.spark.batch_memory) as spark,
    ):
        runs = job.run(spark, request, now, steps.step)
        for one in runs:
            counts = {"rows_in": one.counts.rows_in, "rows_out": one.counts.rows_out}
            noted.part(one.job, float(one.seconds), **counts, rows_rejected=one.counts.rows_rejected)
        return runs


def show(runs: Sequence[JobRun], request: job.Request, as_json: bool) -> None:
    """What was done, and what it took."""
    if as_json:
        print_json(document(runs, request))
        return
    columns = ["table", "days", "rows in", "rejected", "rows out", "seconds", "CPU s", "peak MB", "shuffled MB"]
    rows = [
        (
            one.job,
            str(one.days),
            one.counts.rows_in,
            one.counts.rows_rejected,
            one.counts.rows_out,
            f"{one.seconds:.1f}",
            f"{one.spent.cpu_seconds:.1f}",
            one.spent.peak_memory_bytes // MEGABYTE,
            one.spent.shuffle_write_bytes // MEGABYTE,
        )
        for one in runs
    ]
    console.print(table(f"Metrics as of {request.as_of:%Y-%m-%d %H:%M:%S} UTC ({request.mode})", columns, rows))


def document(runs: Sequence[JobRun], request: job.Request) -> dict[str, Any]:
    """The run as one JSON document; its rows are those of job_runs."""
    return {
        "run_id": request.run_id,
        "mode": str(request.mode),
        "as_of": request.as_of.isoformat(),
        "position": request.position.as_json(),
        "tables": {one.job: {name: _plain(value) for name, value in one.as_row().items()} for one in runs},
    }


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
