"""Spark's metrics against the plain oracle that dbt's marts are equal to: every shared column, to the cent."""

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, LongType, StructType

from concord.batch.days import Days
from concord.batch.metrics import job
from concord.batch.metrics.ratios import exact_ratio, exact_ratio_or_zero
from concord.batch.metrics.source import pin
from concord.contracts.lake_metrics import (
    CUSTOMER_METRICS,
    FUNNEL_METRICS,
    JOB_RUNS,
    LAKE_METRICS,
    ORDER_METRICS,
    PRODUCT_METRICS,
)
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS, OrderStatus
from concord.errors import Disagreement, Misconfigured, Unavailable
from concord.rules.ratios import ratio, ratio_or_zero
from tests.frames import frame_of
from tests.local_lake import LocalLake
from tests.marts_oracle import ZERO, Oracle
from tests.metrics_lake import MetricsLake, metrics_lake

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

SEEDS = [int(seed) for seed in os.environ.get("CONCORD_TEST_SEEDS", "1").split(",")]
"""One life is enough for every day; ``CONCORD_TEST_SEEDS=1,2,3`` lives more of them."""


@pytest.fixture(scope="module", params=SEEDS)
def shop(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[MetricsLake]:
    """A shop whose metrics were computed once, from nothing."""
    with metrics_lake(LocalLake(spark), request.param) as its:
        its.compute()
        yield its


def oracle(shop: MetricsLake) -> Oracle:
    return Oracle(shop.history, shop.history.as_of())


def assert_right(shop: MetricsLake) -> None:
    for name, found, expected in shop.shared():
        assert found == expected, name
    columns = [column for column in FUNNEL_METRICS.names if column not in ("as_of", "loaded_at", "batch_id")]
    assert shop.rows(FUNNEL_METRICS, columns) == shop.visits.expected()


def test_every_column_shared_with_a_mart_equals_it(shop: MetricsLake) -> None:
    assert_right(shop)
    assert all(shop.figures().values())


def test_what_the_marts_do_not_have_of_customers(shop: MetricsLake) -> None:
    its = oracle(shop)
    ranked = sorted(its.users, key=lambda key: (-its.spend(key), key))
    for key, since, products, rank in shop.rows(
        CUSTOMER_METRICS, ("customer_id", "days_since_last_order", "unique_products_purchased", "spend_rank")
    ):
        orders = its.purchases_of.get(key, [])
        assert since == ((its.as_of.date() - orders[-1]["created_at"].date()).days if orders else None)
        assert products == len({line["product_id"] for order in orders for line in its.lines_of[order["id"]]})
        assert ranked[rank - 1] == key


def test_what_the_marts_do_not_have_of_products(shop: MetricsLake) -> None:
    its = oracle(shop)
    columns = ("date", "product_id", "category", "recent_units_sold", "category_revenue_share", "inventory_turnover")
    for day, key, category, recent, share, turnover in shop.rows(PRODUCT_METRICS, columns):
        peers = {sale.line["product_id"] for sale in its.sales if sale.day == day}
        revenue = sum((its.figures(p, day)[1] for p in peers if its.products[p]["category"] == category), ZERO)
        units = sum(s.line["quantity"] for s in its.sold(key) if day - timedelta(days=30) < s.day <= day)
        assert (recent, share) == (units, ratio(its.figures(key, day)[1], revenue))
        stock = its.stock(key, day)
        assert turnover == (ratio(units, stock) if stock else None)


def test_what_the_marts_do_not_have_of_days(shop: MetricsLake) -> None:
    its = oracle(shop)
    columns = ("date", "delivered_orders", "avg_days_to_fulfillment", "cancellation_rate")
    for day, delivered, needed, cancelled in shop.rows(ORDER_METRICS, columns):
        orders = [order for order in its.orders if order["created_at"].date() == day]
        known = [days for order in orders if (days := its.days_to_fulfillment(order)) is not None]
        assert (delivered, needed) == (len(known), ratio(sum(known), len(known)))
        assert cancelled == ratio_or_zero(sum(o["status"] == OrderStatus.CANCELLED for o in orders), len(orders))


def test_revenue_is_conserved_and_not_counted_once_per_line(shop: MetricsLake) -> None:
    """The design's sample joins lines before it sums: each order's total counts once for each of its lines."""
    its = oracle(shop)
    revenue = sum(order["total_amount"] for order in its.purchases)
    of_customers = sum(order["total_amount"] for order in its.purchases if order["user_id"] in its.users)
    multiplied = sum(order["total_amount"] * max(1, len(its.lines_of[order["id"]])) for order in its.purchases)
    assert sum(total for (total,) in shop.rows(ORDER_METRICS, ("total_revenue",))) == revenue < multiplied
    assert sum(total for (total,) in shop.rows(CUSTOMER_METRICS, ("total_spent",))) == of_customers
    orders = sum(count for (count,) in shop.rows(CUSTOMER_METRICS, ("total_orders",)))
    assert orders == sum(order["user_id"] in its.users for order in its.purchases)


def test_a_run_without_news_writes_nothing(shop: MetricsLake) -> None:
    before = {name: shop.lake.current_snapshot(name) for name in LAKE_METRICS}
    runs = shop.compute()
    assert {run.counts.rows_out for run in runs.values()} == {0}
    assert {name: shop.lake.current_snapshot(name) for name in LAKE_METRICS} == before


def test_a_full_run_over_what_is_there_comes_to_the_same_rows_and_is_written_down(shop: MetricsLake) -> None:
    before = shop.figures()
    runs = shop.compute(is_full=True)
    assert shop.figures() == before
    assert {name: run.counts.rows_out for name, run in runs.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    written = shop.lake.table(JOB_RUNS).where(F.col("run_id") == f"run {shop.ran}").collect()
    assert {row["job"] for row in written} == set(LAKE_METRICS)
    for row in written:
        assert (row["mode"], row["state"], row["rows_out"]) == ("full", "ended", runs[row["job"]].counts.rows_out)
        assert row["rows_in"] >= row["rows_rejected"] >= 0
        assert row["seconds"] == Decimal(1)
        assert row["cpu_seconds"] > 0
        assert row["peak_memory_bytes"] > 1 << 26
        assert row["shuffle_write_bytes"] > 0
        assert row["shuffle_read_bytes"] >= 0 <= row["disk_spilled_bytes"]


def test_another_time_alone_measures_customers_anew(shop: MetricsLake) -> None:
    later = shop.history.as_of() + timedelta(days=1)
    runs = shop.compute(as_of=later)
    written = {name for name, run in runs.items() if run.counts.rows_out}
    assert written == {CUSTOMER_METRICS.name}
    shop.compute(CUSTOMER_METRICS.name)
    assert_right(shop)


def test_changes_replace_the_days_that_they_touch_and_no_others(shop: MetricsLake) -> None:
    shop.history.live(days=1, changes=6)
    shop.visits.live(12)
    shop.load()
    before = shop.figures()
    days = {table.name: shop.written_by(table) for table in (ORDER_METRICS, FUNNEL_METRICS, PRODUCT_METRICS)}
    runs = shop.compute()
    assert_right(shop)
    assert 0 < len(runs["order_metrics"].days.among or ()) < len(days["order_metrics"])
    for table in (ORDER_METRICS, FUNNEL_METRICS, PRODUCT_METRICS):
        wanted, now = runs[table.name].days.among or frozenset(), shop.written_by(table)
        assert {day for day, writer in days[table.name].items() if now.get(day) != writer} <= wanted
    assert shop.figures() != before


def test_a_late_order_touches_its_day_and_no_other_of_the_order_metrics(shop: MetricsLake) -> None:
    shop.history.new_order(days_ago=35, lines=2)
    shop.load()
    runs = shop.compute("order_metrics")
    assert runs["order_metrics"].days.among == {shop.history.day - timedelta(days=35)}


def test_a_range_replaces_its_days_alone_and_leaves_the_rest_to_be_brought(shop: MetricsLake) -> None:
    """The late order among them, of which product and customer metrics have not heard."""
    shop.history.new_order(days_ago=0, lines=2)
    shop.history.new_order(days_ago=30, lines=2)
    shop.load()
    day, other = shop.history.day, shop.history.day - timedelta(days=30)
    before = {table.name: shop.written_by(table) for table in (ORDER_METRICS, PRODUCT_METRICS)}
    runs = shop.compute("order_metrics", "product_metrics", days=Days(day, day))
    assert {run.mode for run in runs.values()} == {"range"}
    for table in (ORDER_METRICS, PRODUCT_METRICS):
        now = shop.written_by(table)
        assert now[day] == f"run {shop.ran}"
        assert {k: v for k, v in now.items() if k != day} == {k: v for k, v in before[table.name].items() if k != day}
    runs = shop.compute()
    assert {day, other} <= (runs["order_metrics"].days.among or set())
    assert_right(shop)


def test_a_range_open_at_one_end_goes_to_the_last_day(shop: MetricsLake) -> None:
    first = shop.history.day - timedelta(days=3)
    shop.compute("order_metrics", days=Days(first=first))
    writers = shop.written_by(ORDER_METRICS)
    assert {day for day, writer in writers.items() if writer == f"run {shop.ran}"} == {d for d in writers if d >= first}
    assert_right(shop)


def test_a_range_in_which_nothing_happened_is_named(shop: MetricsLake) -> None:
    before = shop.figures()
    day = date(1999, 12, 31)
    with pytest.raises(Misconfigured, match="no order and no event from 1999-12-31 to 1999-12-31"):
        shop.compute("order_metrics", "funnel_metrics", "product_metrics", days=Days(day, day))
    assert shop.figures() == before


def test_a_line_without_its_order_is_rejected_and_counted(shop: MetricsLake) -> None:
    product = next(iter(shop.history.rows["products"].values()))
    shop.history.new_line(999_999, product, shop.history.moment())
    shop.load()
    runs = shop.compute("product_metrics", is_full=True)
    assert runs["product_metrics"].counts.rows_rejected == 1
    assert runs["product_metrics"].counts.rows_in == len(shop.history.rows["order_items"])
    assert_right(shop)


def test_a_job_that_fails_is_written_down_and_said(shop: MetricsLake) -> None:
    shop.lake.spark.sql("drop table iceberg.ecommerce.funnel_metrics purge")
    try:
        with pytest.raises(Unavailable, match="Spark could not compute funnel_metrics") as refused:
            shop.compute("funnel_metrics")
    finally:
        shop.lake.create(FUNNEL_METRICS)
    assert "concord up" in refused.value.hint
    (row,) = shop.lake.table(JOB_RUNS).where(F.col("run_id") == f"run {shop.ran}").collect()
    assert (row["state"], row["rows_out"]) == ("failed", 0)
    assert "funnel_metrics" in row["detail"]
    shop.compute("funnel_metrics")
    assert_right(shop)


def test_a_mirror_that_holds_another_position_is_named(shop: MetricsLake) -> None:
    earlier = replace(shop.position, offsets={key: offset - 1 for key, offset in shop.position.offsets.items()})
    with pytest.raises(Disagreement, match="mirror users holds"):
        pin(shop.lake.spark, earlier, shop.history.as_of())


def test_a_mirror_that_does_not_know_what_it_holds_is_named(shop: MetricsLake) -> None:
    spark = shop.lake.spark
    properties = "iceberg.ecommerce.orders unset tblproperties ('concord.position')"
    held = spark.sql("show tblproperties iceberg.ecommerce.orders").where("key = 'concord.position'").collect()[0][1]
    spark.sql(f"alter table {properties}")
    try:
        with pytest.raises(Misconfigured, match="mirror orders does not know what it holds") as refused:
            pin(spark, shop.position, shop.history.as_of())
    finally:
        spark.sql(f"alter table iceberg.ecommerce.{ORDERS.name} set tblproperties ('concord.position' = '{held}')")
    assert "concord lake rebuild orders" in refused.value.hint


def test_figures_of_another_definition_are_computed_anew(shop: MetricsLake) -> None:
    shop.lake.spark.sql("alter table iceberg.ecommerce.order_metrics set tblproperties ('concord.definition' = '0')")
    runs = shop.compute("order_metrics")
    assert runs["order_metrics"].days.are_all
    assert shop.compute("order_metrics")["order_metrics"].days.are_none
    assert_right(shop)


def test_ratios_are_those_of_the_one_rule_to_the_last_digit(spark: SparkSession) -> None:
    dice = random.Random(3)
    pairs = [
        (Decimal(dice.randint(-(10**12), 10**12)) / 100, dice.choice((0, 1, 3, 7, dice.randint(-999, 10**7))))
        for _ in range(3000)
    ]
    pairs += [(Decimal(n) / 100, d) for n in range(-30, 30) for d in (-8, -3, 16, 400)]
    frame = frame_of(spark, StructType().add("n", DecimalType(38, 2)).add("d", LongType()), pairs)
    found = frame.select(
        "n", "d", exact_ratio(F.col("n"), F.col("d"), scale=2), exact_ratio_or_zero(F.col("n"), F.col("d"), scale=2)
    )
    for numerator, denominator, plain, or_zero in found.collect():
        assert (plain, or_zero) == (ratio(numerator, denominator), ratio_or_zero(numerator, denominator))


def test_nothing_at_all_makes_no_row(spark: SparkSession, shop: MetricsLake) -> None:
    source = replace(pin(spark, shop.position, shop.history.as_of()), position=Position())
    empty = replace(source, snapshots=dict.fromkeys(source.snapshots))
    assert [its.compute(empty, Days()).count() for its in job.JOBS.values()] == [0, 0, 0, 0]
