"""``concord load online-retail FILE``: a published data set becomes the shop's history."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli.output import AsJson, console, print_json, table
from concord.cli.progress import progress_bar
from concord.ingest.ledger import Ledger
from concord.ingest.online_retail.run import Clickstream, Prepared, Summary, load_prepared, prepare
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

app = typer.Typer(help="Load a published data set into the shop.", no_args_is_help=True)


@app.callback()
def load() -> None:
    """Load a published data set into the shop."""


@app.command("online-retail")
def online_retail(
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or XLSX of UCI Online Retail or Online Retail II.")],
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Orders per second; as fast as it goes if not given.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many of the earliest invoices.")] = None,
    clickstream: Annotated[
        bool, typer.Option("--clickstream/--no-clickstream", help="Also publish simulated clicks around the orders.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Load Online Retail, invoice by invoice in order of time.

    Broken off, it goes on where it stopped; loaded again, the same file changes nothing.
    """
    prepared = prepare(file, limit)
    summary = _loaded(load_settings(), file, prepared, rate, clickstream, hidden=as_json)
    print_json(_document(summary)) if as_json else console.print(_view(file, summary))


def load_file(
    settings: Settings,
    file: Path,
    rate: float | None = None,
    limit: int | None = None,
    clickstream: bool = True,
    hidden: bool = False,
) -> Summary:
    """Load one file with a progress bar; a bad file is told before anything else is asked for."""
    return _loaded(settings, file, prepare(file, limit), rate, clickstream, hidden)


def _loaded(
    settings: Settings, file: Path, prepared: Prepared, rate: float | None, clickstream: bool, hidden: bool
) -> Summary:
    with _clickstream(settings, file, clickstream) as clicks, progress_bar("loading", hidden=hidden) as progress:
        return load_prepared(bootstrap.postgres(settings), prepared, clickstream=clicks, rate=rate, progress=progress)


@contextmanager
def _clickstream(settings: Settings, file: Path, wanted: bool) -> Iterator[Clickstream | None]:
    """One ledger per file, so that a load broken off goes on in the same one."""
    if not wanted:
        yield None
        return
    folder = settings.home / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    digest = sha256(file.read_bytes()).hexdigest()[:12]
    with Ledger(folder / f"online-retail-{digest}.sqlite") as ledger:
        yield Clickstream(bootstrap.kafka(settings), ledger, clock=now)


def _document(summary: Summary) -> dict[str, object]:
    return {**asdict(summary), "written": summary.report.written}


def _view(file: Path, summary: Summary) -> object:
    report = summary.report
    rows = [
        ("lines in the file", summary.lines),
        ("of these in two sheets, taken once", summary.repeated),
        ("invoices", report.invoices),
        ("of these there already", report.invoices_present),
        *((f"rows into {name}", count) for name, count in report.rows.items()),
        ("status changes", report.status_changes),
        ("events published (simulated)", summary.events),
    ]
    return table(str(file), ("what", "count"), rows)
