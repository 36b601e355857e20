"""What cannot be meant is refused before anything is asked, and what was done is told in plain values."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from click.testing import Result
from typer.testing import CliRunner

from concord.batch.days import Days
from concord.batch.job_runs import Counts, JobRun, Mode
from concord.batch.measure import Spent
from concord.batch.metrics.job import Request
from concord.cli.batch import app
from concord.cli.batch_metrics import document
from concord.contracts.lake_metrics import JOB_RUNS
from concord.contracts.position import Position
from concord.errors import ExitCode

WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}
STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = JobRun(
    run_id="a run",
    job="order_metrics",
    mode=Mode.RANGE,
    days=Days(date(2024, 1, 1), date(2024, 1, 31)),
    counts=Counts(rows_in=100, rows_out=31),
    started_at=STARTED,
    ended_at=STARTED + timedelta(milliseconds=1500),
    spent=Spent(Decimal("2.3456789"), 1 << 30, 4096, 2048, 0, 0),
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["metrics", *arguments], env=WIDE)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2024-02-01", "--to", "2024-01-31"], "--from 2024-02-01 is after --to 2024-01-31"),
        (["--from", "2024-02-30"], "'2024-02-30' does not match the format"),
        (["--to", "tomorrow"], "'tomorrow' does not match the format"),
        (["--full", "--from", "2024-02-01"], "--full is every day: leave --from and --to out"),
        (["orders"], "orders is none of customer_metrics, product_metrics, order_metrics, funnel_metrics"),
    ],
)
def test_what_cannot_be_meant_is_named(arguments: list[str], says: str) -> None:
    refused = run(*arguments)
    assert refused.exit_code == ExitCode.USAGE
    assert says in refused.output


def test_a_run_is_told_as_the_book_has_it() -> None:
    request = Request("a run", Position(), STARTED, ("order_metrics",), RUN.days)
    told = json.loads(json.dumps(document([RUN], request), default=str))
    row = told["tables"]["order_metrics"]
    assert (told["mode"], row["mode"], row["state"]) == ("range", "range", "ended")
    assert (row["seconds"], row["cpu_seconds"], row["rows_in"], row["rows_out"]) == (1.5, 2.346, 100, 31)
    assert (row["first_day"], row["last_day"], row["days"]) == ("2024-01-01", "2024-01-31", None)
    assert set(JOB_RUNS.names) - set(row) == {"batch_id", "position", "snapshots", "as_of"}


def test_what_failed_says_why() -> None:
    row = replace(RUN, failure="Spark could not").as_row()
    assert (row["state"], row["detail"]) == ("failed", "Spark could not")


def test_a_mode_follows_from_what_was_asked_for() -> None:
    request = Request("a run", Position(), STARTED)
    modes = [request, replace(request, is_full=True), replace(request, days=RUN.days)]
    assert [each.mode for each in modes] == [Mode.INCREMENTAL, Mode.FULL, Mode.RANGE]


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (Days(), "every day"),
        (Days(first=date(2024, 1, 1)), "2024-01-01 to the last"),
        (Days(last=date(2024, 1, 1)), "the first day to 2024-01-01"),
        (Days(among=frozenset({date(2024, 1, 1)})), "1 days"),
    ],
)
def test_days_are_said_in_words(days: Days, says: str) -> None:
    assert str(days) == says
