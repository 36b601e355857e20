"""``concord lake snapshots | as-of | diff | rollback``: what a table was, and back to it."""

from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import polars as pl
import typer

from concord import bootstrap
from concord.batch.lease import lease
from concord.cli.audited import Noted, audited
from concord.cli.lake.tables import DATASETS, Name, lake_of_settings
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.audit import Action
from concord.contracts.lake_metrics import JOB_RUNS
from concord.contracts.model import Dataset
from concord.dialects.iceberg import LANDED_DATASETS, METRICS, MIRRORS, UNSTRUCTURED
from concord.errors import Misconfigured
from concord.gateways.lake import Lake
from concord.reconcile.compare import Comparison, compare
from concord.settings import load_settings

SHOWN = 20


def snapshots(name: Name, as_json: AsJson = False) -> None:
    """Every snapshot of a table, oldest first."""
    found = lake_of_settings().snapshots(name)
    if as_json:
        print_json([asdict(snapshot) for snapshot in found])
        return
    columns = ["snapshot", "committed (UTC)", "operation", "rows +", "rows −", "rows", "files", "state"]
    rows = [
        (
            str(s.id),
            f"{s.committed_at:%Y-%m-%d %H:%M:%S}",
            s.operation,
            s.added_rows,
            s.deleted_rows,
            s.rows,
            s.files,
            _state(s),
        )
        for s in found
    ]
    console.print(table(f"Snapshots of {name}", columns, rows))


def _state(snapshot: Any) -> str:
    return "current" if snapshot.is_current else "" if snapshot.is_in_line else "left behind"


def as_of(
    name: Name,
    snapshot: Annotated[int | None, typer.Option(help="A snapshot's number.")] = None,
    at: Annotated[datetime | None, typer.Option(help="A time (UTC) instead.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """The table as it was at a snapshot or a time."""
    lake = lake_of_settings()
    chosen = _snapshot(lake, name, snapshot, at)
    with _read("as-of", lake, {name: chosen}) as noted:
        count = lake.row_count(name, chosen)
        rows = lake.scan(name, snapshot_id=chosen, limit=limit).to_pylist()
        noted.note(rows_out=len(rows))
    if as_json:
        print_json({"table": name, "snapshot": chosen, "rows": count, "first": rows})
        return
    title = f"{name} at snapshot {chosen}: {count:,} rows, {len(rows)} shown"
    console.print(table(title, DATASETS[name].names, [tuple(row.values()) for row in rows]))


def _snapshot(lake: Lake, name: str, snapshot: int | None, at: datetime | None) -> int:
    if (snapshot is None) == (at is None):
        raise typer.BadParameter("give either --snapshot or --at")
    if at is not None:
        return lake.snapshot_at(name, at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    assert snapshot is not None
    _check_snapshot(lake, name, snapshot)
    return snapshot


def _check_snapshot(lake: Lake, name: str, snapshot: int) -> None:
    if snapshot not in {one.id for one in lake.snapshots(name)}:
        raise Misconfigured(f"lake table {name} has no snapshot {snapshot}", f"concord lake snapshots {name}")


def diff(
    name: Name,
    older: Annotated[int, typer.Argument(metavar="FROM", help="A snapshot's number.")],
    newer: Annotated[int, typer.Argument(metavar="TO", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Rows that came, went or changed between two snapshots, by the table's key."""
    lake = lake_of_settings()
    for snapshot in (older, newer):
        _check_snapshot(lake, name, snapshot)
    with _read("diff", lake, {name: [older, newer]}) as noted:
        found = _between(lake, DATASETS[name], older, newer)
        noted.note(rows_out=len(found.differences))
    counts = {word: sum(d.kind == kind for d in found.differences) for kind, word in WORDS.items()}
    if as_json:
        differences = [{"key": d.key, "what": WORDS[d.kind], "values": d.values} for d in found.differences]
        print_json({"table": name, "from": older, "to": newer, **counts, "differences": differences})
        return
    console.print(", ".join(f"{count:,} {word}" for word, count in counts.items()), highlight=False)
    shown = [(", ".join(map(str, d.key)), WORDS[d.kind], _changed(d.values)) for d in found.differences[:SHOWN]]
    if shown:
        console.print(table(f"First {len(shown)} of {len(found.differences):,}", ["key", "what", "values"], shown))


def _read(what: str, lake: Lake, at: dict[str, Any]) -> AbstractContextManager[Noted]:
    """Leaves its row in the audit trail."""
    facts = {"store": "lake", "identity": lake.identity, "read_at": at}
    return audited(load_settings(), Action.READ, f"lake {what}", **facts)


WORDS = {"missing": "went", "extra": "came", "altered": "changed"}
"""What a difference between the older and the newer side means."""


def _changed(values: dict[str, tuple[Any, Any]]) -> str:
    return ", ".join(f"{name}: {old!r} → {new!r}" for name, (old, new) in values.items())


def _between(lake: Lake, dataset: Dataset, older: int, newer: int) -> Comparison:
    sides = [(str(snapshot), _rows(lake, dataset, snapshot)) for snapshot in (older, newer)]
    return compare(dataset.name, dataset.key, sides[0], sides[1])


def _rows(lake: Lake, dataset: Dataset, snapshot: int) -> pl.DataFrame:
    """Bytes as hexadecimal text: rows are put in order and printed."""
    frame = pl.from_arrow(lake.scan(dataset.name, snapshot_id=snapshot))
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col(pl.Binary).bin.encode("hex"))


def rollback(
    name: Name,
    to: Annotated[int, typer.Option("--to", help="The snapshot to go back to.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make an earlier snapshot the current one. Only for what the batch layer makes from what has landed."""
    if DATASETS[name] in LANDED_DATASETS:
        raise Misconfigured(
            f"{name} is what a sink has landed: the sink would not bring again what a rollback takes away",
            "roll back mirrors, events or dead_letters; everything is made from what has landed",
        )
    if DATASETS[name] == JOB_RUNS:
        raise Misconfigured(f"{name} is a book: what is written in it stays", "delete nothing from it")
    settings = load_settings()
    lake = bootstrap.lake(settings)
    if not yes and not typer.confirm(f"roll {name} back to snapshot {to}?"):
        raise typer.Abort
    facts = {"store": "lake", "identity": lake.identity, "read_at": {name: to}}
    with audited(settings, Action.CHANGE, "lake rollback", **facts), lease(settings.home / "batch"):
        lake.roll_back(name, to)
    console.print(f"{name} is at snapshot {to}; {_repair(DATASETS[name])}", highlight=False)


def _repair(dataset: Dataset) -> str:
    """What brings a table that was rolled back to where it was."""
    if dataset in MIRRORS:
        return "the next batch builds it anew"
    if dataset in METRICS:
        return "the next `concord batch metrics` computes it anew"
    if dataset in UNSTRUCTURED:
        return "`concord lake put` brings back what is missing"
    return "`concord batch run --again BATCH` brings back what is missing"
