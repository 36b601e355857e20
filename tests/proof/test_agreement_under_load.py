"""Thirty reconciliations while 200 changes a second are written: no false alarm. Part of `make proof`."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from concord import bootstrap
from concord.cli import recon
from concord.cli.batch import run_batch
from concord.cli.demo import await_layers
from concord.ingest.generate import Plan, generate_shop
from concord.ingest.ledger import Ledger
from concord.settings import Settings
from tests.proof.conftest import Note

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

RUNS = 30
PATIENCE = 600.0
CHANGES_PER_SECOND = 200.0


def test_thirty_runs_under_writes_give_no_difference(stack: Settings, tmp_path: Path, note: Note):
    stop = threading.Event()
    writer = threading.Thread(target=_write_until, args=(stack, stop, tmp_path))
    writer.start()
    try:
        await_layers(stack, PATIENCE)
        reports = []
        for number in range(RUNS):
            if number % 10 == 0:
                run_batch(stack)
            reports.append(recon.between_layers(stack))
    finally:
        stop.set()
        writer.join()
    rows = sum(c.left_rows for report in reports for c in report.comparisons)
    note(f"{RUNS} runs, {rows:,} rows compared, {sum(r.differences for r in reports)} differences")
    assert [report.differences for report in reports] == [0] * RUNS
    assert len({tuple(report.cut) for report in reports}) > 1


def _write_until(settings: Settings, stop: threading.Event, folder: Path) -> None:
    round_ = 0
    while not stop.is_set():
        round_ += 1
        now = datetime.now(UTC)
        plan = Plan(
            name=f"load-{round_}-{now:%H%M%S%f}",
            seed=round_,
            start=now,
            seconds=10,
            events_per_second=20,
            changes_per_second=CHANGES_PER_SECOND,
            users=20,
            products=30,
        )
        with Ledger(folder / f"{round_}.sqlite") as ledger:
            generate_shop(bootstrap.postgres(settings), bootstrap.kafka(settings), plan, ledger)
