"""The whole Online Retail file through every engine: each store says what the file says. Part of `make proof`."""

import time
from pathlib import Path

import pytest

from concord.cli import hops, recon
from concord.cli.batch import run_batch
from concord.cli.demo import await_layers
from concord.cli.load import load_file
from concord.cli.verify import differing, side_by_side, stated_by, stores
from concord.ingest.online_retail.facts import retail_facts
from concord.settings import Settings
from tests.proof.conftest import Note
from tests.retail import REAL_FILE, needs_real_file

pytestmark = [pytest.mark.integration, pytest.mark.timeout(5400), needs_real_file]

PATIENCE = 3600.0


def test_the_full_file_is_the_same_in_every_store(stack: Settings, note: Note):
    _timed(note, "load", lambda: load_file(stack, Path(REAL_FILE), hidden=True))
    _timed(note, "both layers hold every record", lambda: await_layers(stack, PATIENCE))
    _timed(note, "batch", lambda: run_batch(stack))
    stated = stated_by(retail_facts(REAL_FILE))
    sides = {"file": stated, **stores(stack, min(stated.revenue_by_day), max(stated.revenue_by_day))}
    note(side_by_side(sides))
    assert differing(sides) == []
    assert [fault for flow in hops.all_flows(stack) for fault in flow.faults] == []


def test_both_layers_equal_the_source_over_the_full_file(stack: Settings, note: Note):
    report = recon.at_fence(stack, advance=True, timeout=PATIENCE)
    rows = sum(c.left_rows for c in report.comparisons)
    note(f"recon run --source: {rows:,} rows compared, {report.differences} differences")
    assert report.agrees


def test_loading_the_file_again_changes_nothing(stack: Settings, note: Note):
    written = load_file(stack, Path(REAL_FILE), hidden=True).report.written
    note(f"rows written by a second load: {written}")
    assert written == 0


def _timed(note: Note, what: str, work) -> None:
    started = time.monotonic()
    work()
    note(f"{what}: {time.monotonic() - started:.0f} s")
