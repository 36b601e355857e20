"""``concord lake compact | expire | clean-orphans | rewrite-manifests | rebuild``: jobs that keep the lake fit."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.batch import job, maintain, mirrors
from concord.batch.lease import lease
from concord.batch.maintain import Maintained, TableJob
from concord.cli.audited import Noted, audited
from concord.cli.days import From, To, days_of
from concord.cli.lake.tables import Hours, Names, chosen
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.contracts.audit import Action
from concord.contracts.tables import TABLES, as_change
from concord.errors import Misconfigured
from concord.gateways.lake import Lake
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now


def compact(names: Names = None, as_json: AsJson = False) -> None:
    """Small files of partitions that nobody writes any more into few large ones."""
    moment = now()
    _maintain("compact", names, as_json, lambda spark, dataset: maintain.compact(spark, dataset, moment))


def rewrite_manifests(names: Names = None, as_json: AsJson = False) -> None:
    """Few manifests, ordered by partition."""
    _maintain("rewrite-manifests", names, as_json, maintain.rewrite_manifests)


def expire(
    names: Names = None,
    older_than: Hours = 7 * 24.0,
    keep: Annotated[int, typer.Option(min=1, help="Newest snapshots to keep, whatever their age.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Forget old snapshots, but for what the newest published batch has read, and delete the files that only they needed."""
    settings = load_settings()
    lake, warehouse, before = bootstrap.lake(settings), bootstrap.snowflake(settings), maintain.age(now(), older_than)

    _maintain(
        "expire",
        names,
        as_json,
        lambda spark, dataset: maintain.expire(
            spark, dataset, maintain.expendable_before(lake, warehouse, dataset, before), keep
        ),
    )


def clean_orphans(names: Names = None, older_than: Hours = 72.0, as_json: AsJson = False) -> None:
    """Delete objects that no snapshot needs. Younger ones may belong to a commit that is being made: keep to hours."""
    settings = load_settings()
    lake, before = bootstrap.lake(settings), maintain.age(now(), older_than)
    with _job(settings, "clean-orphans", lake), lease(settings.home / "batch", maintain.LEASE):
        deleted = {one.name: maintain.clean_orphans(lake, one, before) for one in chosen(names)}
    rows = [(name, len(files), sum(one.bytes for one in files)) for name, files in deleted.items()]
    if as_json:
        print_json([dict(zip(("table", "deleted", "bytes"), row, strict=True)) for row in rows])
    else:
        console.print(table("Orphans", ["table", "deleted", "bytes"], rows))


def rebuild(
    name: Annotated[str, typer.Argument(metavar="TABLE", help=f"A mirror: {', '.join(TABLES)}.")],
    first: From = None,
    last: To = None,
) -> None:
    """Build a mirror anew from its whole change log, or its rows of some days (of created_at) at the position it holds.

    Readers see the old rows or the new ones.
    """
    days = days_of(first, last)
    if name not in TABLES:
        raise typer.BadParameter(f"{name} is none of {', '.join(TABLES)}")
    settings = load_settings()
    log = as_change(TABLES[name]).name
    lake = bootstrap.lake(settings)
    snapshot = lake.current_snapshot(log)
    if snapshot is None:
        raise Misconfigured(f"{log} is empty, so there is nothing to build {name} from")
    with _job(settings, f"rebuild {name}", lake) as noted, _alone(settings), _spark(settings) as spark:
        if days.are_all:
            built = mirrors.rebuild(spark, TABLES[name], lake.position(log, snapshot), snapshot)
        else:
            built = mirrors.rebuild_days(spark, TABLES[name], days, snapshot)
        counts = {"rows_in": built.records, "rows_out": built.changed_keys, "rows_rejected": built.set_aside}
        noted.note(**counts, read_at={log: snapshot})
    console.print(f"{name}: {built.changed_keys:,} rows", highlight=False)


def _maintain(name: str, names: list[str] | None, as_json: bool, what: TableJob) -> None:
    """One job over the tables, beside readers and sinks; no batch and no other maintenance runs meanwhile."""
    settings = load_settings()
    lake = bootstrap.lake(settings)
    done = []
    with _job(settings, name, lake) as noted, _alone(settings), _spark(settings) as spark:
        for dataset in chosen(names):
            snapshot = lake.current_snapshot(dataset.name)
            if snapshot is not None:
                started = time.monotonic()
                with errors.status(dataset.name):
                    done.append(maintain.maintained(lake, spark, dataset, what))
                facts = {"store": "lake", "identity": lake.identity, "read_at": {dataset.name: snapshot}}
                noted.part(dataset.name, time.monotonic() - started, **facts)
    if as_json:
        print_json([asdict(one) for one in done])
    else:
        console.print(table("Before → after", BEFORE_AFTER, [_before_after(one) for one in done]))


BEFORE_AFTER = ["table", "files", "mean file", "manifests", "snapshots", "planning"]


def _before_after(done: Maintained) -> tuple[str, ...]:
    before, after = done.before, done.after
    return (
        done.table,
        f"{before.files:,} → {after.files:,}",
        f"{before.mean_bytes / 1024:,.0f} → {after.mean_bytes / 1024:,.0f} KiB",
        f"{before.manifests:,} → {after.manifests:,}",
        f"{before.snapshots:,} → {after.snapshots:,}",
        f"{before.planning_seconds * 1000:,.0f} → {after.planning_seconds * 1000:,.0f} ms",
    )


def _job(settings: Settings, name: str, lake: Lake) -> AbstractContextManager[Noted]:
    """Leaves its row in the audit trail."""
    return audited(settings, Action.RUN, f"lake {name}", store="lake", identity=lake.identity)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    folder = settings.home / "batch"
    with lease(folder, maintain.LEASE), lease(folder):
        yield


def _spark(settings: Settings) -> AbstractContextManager[Any]:
    return bootstrap.spark_for(settings, job.APP_NAME, settings.spark.batch_memory)
