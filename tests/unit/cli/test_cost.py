"""Times on the command line, and what is told about the figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from concord.cli.cost.basis import LOCAL, basis, notes
from concord.cli.cost.resources import OF_RUN, advice, asked_of, uses
from concord.cli.cost.whatif import WrongTime, duration
from concord.contracts.warehouse import Size
from concord.rules.resource_use import Asked, Footprint, JobRun, use_by_job
from concord.settings import load_settings
from tests.unit.rules.test_warehouse_cost import PRICES, at


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), (" 1h ", 3600)])
def test_a_time_is_a_number_and_its_unit(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "2d", "999999999m", "15 minutes"])
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WrongTime, match="takes a time like 90s"):
        duration(text)


def test_seconds_of_the_stand_in_are_called_its_own() -> None:
    found = {"COMPUTE_WH": [at(0, 1)]}
    assert LOCAL in notes(PRICES, found)
    assert basis(PRICES, found)["seconds_are_the_stand_ins"] is True


def test_an_accounts_seconds_are_taken_as_they_are_and_prices_dated() -> None:
    found = {"COMPUTE_WH": [replace(at(0, 1), size=Size.SMALL)]}
    (prices,) = notes(PRICES, found)
    assert "3 EUR per credit" in prices
    assert "of 2026-01-01" in prices


def test_a_month_that_cannot_be_is_a_matter_of_usage(concord) -> None:
    ended = concord("cost", "whatif", "--every", "soon")
    assert ended.code == 2
    assert "--every takes a time like 90s, 15m, 2h, up to 1d; not 'soon'" in ended.err


def test_stopping_after_less_than_an_account_takes_is_refused(concord) -> None:
    assert concord("cost", "whatif", "--suspend", "30").code == 2


def test_a_local_session_asks_for_its_cores_and_a_clusters_for_its_executors() -> None:
    settings = load_settings()
    spark = settings.spark.model_copy(update={"master": "local[3]", "batch_memory": "2g"})
    assert asked_of(settings.model_copy(update={"spark": spark})) == Asked(3, 2 << 30)

    cluster = spark.model_copy(update={"master": "k8s://https://cluster", "batch_memory": "1500m"})
    assert asked_of(settings.model_copy(update={"spark": cluster})) == Asked(4, 1500 << 20)


class RememberedRuns:
    """The part of the lake that knows of Spark's runs."""

    def __init__(self, *rows: tuple[object, ...]) -> None:
        self.rows = [dict(zip(OF_RUN, row, strict=True)) for row in rows]

    def current_snapshot(self, name: str) -> int | None:
        return 1 if self.rows else None

    def scan(self, name: str, columns: tuple[str, ...], row_filter: str) -> pa.Table:
        return pa.Table.from_pylist(self.rows).select(list(columns))


def test_what_spark_used_is_read_from_its_book_of_runs() -> None:
    asked = Asked(2, 3 << 30)
    book = RememberedRuns(
        ("order_metrics", Decimal("4.0"), Decimal("2.0"), 1 << 30, 0),
        ("order_metrics", Decimal("6.0"), Decimal("8.0"), 2 << 30, 5),
    )
    (use,) = uses(book, datetime(2026, 1, 1, tzinfo=UTC), asked)  # type: ignore[arg-type]
    assert (use.runs, use.core_share, use.memory_bytes_used, use.spilled_bytes) == (2, Decimal("0.5"), 2 << 30, 5)
    assert uses(RememberedRuns(), datetime(2026, 1, 1, tzinfo=UTC), asked) == []  # type: ignore[arg-type]


def test_advice_is_given_on_spark_and_on_tables_alike() -> None:
    use = use_by_job([JobRun("order_metrics", Decimal(1), Decimal(1), 1, 5 << 20)], Asked(2, 3 << 30))
    found = [*advice(use, Asked(2, 3 << 30), [Footprint("orders", 1 << 20, 900 << 20)])]
    assert [each.about for each in found] == ["Spark's memory", "lake orders"]
