"""``concord recon``: do the layers agree, and with the source?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.cli import hops
from concord.cli.audited import audited
from concord.cli.batch import run_batch
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.audit import Action
from concord.contracts.position import Position, Publication
from concord.errors import Disagreement, Unavailable
from concord.reconcile import repair as repairs
from concord.reconcile import report as reports
from concord.reconcile.cut import CDC_TOPICS, Cut, tables_only
from concord.reconcile.extract import KEPT, BatchExtract, SourceExtract, SpeedExtract
from concord.reconcile.fence import FenceMark, await_fence
from concord.reconcile.run import (
    SPEED,
    Report,
    Sides,
    common_cut,
    comparisons,
    converged_seconds,
    events_cut,
    faults,
)
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now
from concord.telemetry.waiting import NotYet, wait_for

app = typer.Typer(help="Compare the layers with each other and with the source, row by row.", no_args_is_help=True)

Timeout = Annotated[float, typer.Option(help="Seconds to wait for the layers to reach the fence.")]
SHOWN_DIFFERENCES = 20
SHOWN_KEYS = 5
REACH = "within reach that the other has not: a late one, or one above the cut"


@app.command()
def run(
    source: Annotated[
        bool, typer.Option("--source", help="Also compare both layers with PostgreSQL at a fence.")
    ] = False,
    advance: Annotated[bool, typer.Option("--advance", help="Run the batch layer once past the fence first.")] = False,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
) -> None:
    """Take the cut, compare every table row by row and the sums by day. Exit 6 if anything differs."""
    settings = load_settings()
    stores = "speed, warehouse, postgres" if source else "speed, warehouse"
    with audited(settings, Action.RUN, "recon run", store=stores) as noted:
        report = at_fence(settings, advance, timeout) if source else between_layers(settings)
        rows = sum(each.left_rows + each.right_rows for each in report.comparisons)
        noted.note(
            batch_id=report.batch_id, read_at=report.cut.as_json(), rows_in=rows, rows_rejected=report.differences
        )
    path = reports.store(report, folder(settings))
    if as_json:
        print_json(reports.document(report))
    else:
        show(reports.document(report))
        console.print(f"[dim]stored as {path}[/dim]")
    if not report.agrees:
        raise Disagreement(
            f"{report.differences} differences, {len(report.faults)} faults", f"concord recon show {report.run_id}"
        )


@app.command()
def repair(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    advance: Annotated[bool, typer.Option("--advance", help="Run the batch layer once past the fence first.")] = False,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
) -> None:
    """Make good what change capture has missed, by way of the log: both layers learn it like any other change.

    Compares with the source as `run --source` does. Rows that a layer lacks or holds otherwise are touched in
    PostgreSQL, and are captured again; of rows that PostgreSQL has no more, the missing delete is written to Kafka.
    Without --advance only the speed layer is looked at; what it has missed, the batch layer has missed too.
    """
    settings = load_settings()
    with audited(settings, Action.CHANGE, "recon repair", store="postgres, kafka") as noted:
        report = at_fence(settings, advance, timeout)
        reports.store(report, folder(settings))
        # A batch that ends below the fence lacks rows that nobody has missed.
        missed = repairs.gaps(c for c in report.comparisons if advance or c.right == SPEED)
        if missed and not yes:
            _show_gaps(missed)
            typer.confirm("Send what the layers have missed?", abort=True)
        worker = repairs.Repair(
            bootstrap.postgres(settings),
            bootstrap.kafka(settings),
            bootstrap.clickhouse(settings, "reader"),
            bootstrap.snowflake(settings),
        )
        done = [worker.run(gap, now()) for gap in missed]
        noted.note(rows_in=report.differences, rows_out=sum(d.deletes_written + d.rows_touched for d in done))
    if as_json:
        print_json([asdict(each) for each in done])
    elif done:
        rows = [(each.table, each.deletes_written, each.rows_touched) for each in done]
        console.print(table("Sent to both layers", ["table", "deletes written", "rows touched"], rows))
        console.print("once they are taken in: `concord recon run --source --advance`", highlight=False)
    else:
        console.print("both layers hold what the source does: nothing to repair", highlight=False)


def _show_gaps(missed: Sequence[repairs.Gap]) -> None:
    rows = [(gap.table.name, _some(gap.gone), _some(gap.stale)) for gap in missed]
    console.print(table("Missed by change capture", ["table", "gone from the source", "lacking or other"], rows))


def _some(keys: Sequence[int]) -> str:
    shown = ", ".join(map(str, keys[:SHOWN_KEYS]))
    return f"{shown} … {len(keys):,} in all" if len(keys) > SHOWN_KEYS else shown


@app.command("list")
def list_runs(as_json: AsJson = False) -> None:
    """Every stored run, newest first."""
    documents = [reports.load(folder(load_settings()), path.stem) for path in _stored(load_settings())]
    if as_json:
        print_json(documents)
        return
    rows = [
        (d["run_id"], d["agrees"], d["differences"], len(d["faults"]), d["batch_id"], d["fence"]) for d in documents
    ]
    console.print(table("Reconciliations", ["run", "agrees", "differences", "faults", "batch", "fence"], rows))


@app.command("show")
def show_run(run_id: str, as_json: AsJson = False) -> None:
    """One stored run with its differences."""
    document = reports.load(folder(load_settings()), run_id)
    if as_json:
        print_json(document)
    else:
        show(document)


def folder(settings: Settings) -> Path:
    """Where results are kept."""
    return settings.home / "reconcile"


def _stored(settings: Settings) -> list[Path]:
    return sorted(folder(settings).glob("*.json"), reverse=True)


def between_layers(settings: Settings) -> Report:
    """Compare the layers at the cut that both hold now."""
    publication = published(settings)
    cut = Cut(common_cut(bootstrap.clickhouse(settings, "reader").position(), publication.position))
    return _compare(settings, cut, publication)


def at_fence(settings: Settings, advance: bool, timeout: float) -> Report:
    """Compare the layers and the source at a fence taken now."""
    with bootstrap.postgres(settings).fence("recon") as fence:
        mark = await_fence(bootstrap.kafka(settings), fence.id, timeout)
        await_layer("speed layer", bootstrap.clickhouse(settings, "reader").position, mark.position, timeout)
        if advance:
            advance_batch(settings, mark, timeout)
        publication = published(settings)
        events = events_cut(bootstrap.clickhouse(settings, "reader").position(), publication.position)
        return _compare(
            settings, Cut(mark.position.merge(events), mark.lsn), publication, SourceExtract(fence.reader), mark
        )


def await_layer(name: str, held: Callable[[], Position], end: Position, timeout: float) -> None:
    """Wait until a layer holds ``end``. Raises :class:`Unavailable`, saying where it is behind, when it does not."""
    try:
        wait_for(lambda: True if held().covers(end) else None, timeout)
    except NotYet:
        behind = held().behind(end).as_json()
        raise Unavailable(f"the {name} is behind at {behind} after {timeout:.0f} s", "concord status") from None


def advance_batch(settings: Settings, mark: FenceMark, timeout: float) -> None:
    """Wait for the lake to reach the fence, then load and publish a batch."""
    await_layer("lake", lambda: hops.lake_position(settings, CDC_TOPICS), mark.position, timeout)
    run_batch(settings)


def published(settings: Settings) -> Publication:
    """The newest published batch. Raises :class:`Disagreement` if there is none: nothing can be compared."""
    publication = bootstrap.snowflake(settings).publication()
    if publication is None:
        raise Disagreement("no batch has been published, so there is nothing to compare", "concord batch run")
    return publication


@contextmanager
def _progress() -> Iterator[Any]:
    with console.status("comparing …") as status:
        yield lambda name: status.update(f"comparing {name} …")


def _compare(
    settings: Settings,
    cut: Cut,
    publication: Publication,
    source: SourceExtract | None = None,
    mark: FenceMark | None = None,
) -> Report:
    started = now()
    clickhouse = bootstrap.clickhouse(settings, "reader")
    sides = Sides(SpeedExtract(clickhouse), BatchExtract(bootstrap.snowflake(settings)), source)
    below = mark and not tables_only(publication.position).covers(mark.position)
    with _progress() as progress:
        found = tuple(comparisons(sides, cut, publication.position, started - KEPT, progress))
    return Report(
        run_id=started.strftime("%Y%m%dT%H%M%S.%fZ"),
        started_at=started,
        cut=cut.position,
        batch_id=publication.batch_id,
        fence=mark.fence_id if mark else None,
        comparisons=found,
        faults=faults(found) + ((_below(publication, mark),) if below and mark else ()),
        converged_seconds=converged_seconds(clickhouse, publication, cut),
    )


def _below(publication: Publication, mark: FenceMark) -> str:
    return (
        f"the cut lies below the fence: batch {publication.batch_id} holds "
        f"{tables_only(publication.position).behind(mark.position).as_json()}, the fence needs {mark.position.as_json()}"
    )


def show(document: dict[str, Any]) -> None:
    """The verdict as a table, and the first differences with their keys."""
    rows = [
        (
            c["dataset"],
            c["left"],
            c["left_rows"],
            c["right"],
            c["right_rows"],
            len(c["differences"]),
            "yes" if c["agrees"] else "NO",
        )
        for c in document["comparisons"]
    ]
    columns = ["compared", "left", "rows", "right", "rows ", "differ", "equal"]
    console.print(table(f"Reconciliation {document['run_id']} at batch {document['batch_id']}", columns, rows))
    for comparison in document["comparisons"]:
        if aside := comparison.get("set_aside"):
            console.print(f"{comparison['dataset']}: {aside:,} more set aside, for one layer has an event {REACH}")
    _show_differences(document)
    for fault in document["faults"]:
        console.print(f"[red]fault:[/red] {fault}")
    seconds = document["converged_seconds"]
    converged = "" if seconds is None else f"; converged {seconds:.1f} s after the last change"
    console.print(("[green]equal[/green]" if document["agrees"] else "[red]not equal[/red]") + converged)


def _show_differences(document: dict[str, Any]) -> None:
    found = [(c, d) for c in document["comparisons"] for d in c["differences"]]
    rows = [
        (c["dataset"], f"{c['left']} / {c['right']}", d["kind"], ", ".join(map(str, d["key"])), _values(d))
        for c, d in found[:SHOWN_DIFFERENCES]
    ]
    if rows:
        title = f"First {len(rows)} of {len(found)} differences" if len(found) > len(rows) else "Differences"
        console.print(table(title, ["dataset", "sides", "kind", "key", "values"], rows))


def _values(difference: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {left!r} / {right!r}" for name, (left, right) in difference["values"].items())
