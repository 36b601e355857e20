"""What a batch session is tuned with acts: the same rows, and another plan than with the feature off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.contracts.tables import ORDERS, as_mirror
from concord.gateways.spark import ADAPTIVE
from tests.factories import EPOCH, row
from tests.local_lake import LocalLake

pytestmark = pytest.mark.spark

DAYS = 28
SMALL_SCALE = {
    "spark.sql.adaptive.coalescePartitions.initialPartitionNum": "200",
    "spark.sql.autoBroadcastJoinThreshold": "200k",
    "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "1m",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "512k",
}
"""Bounds that fit a test's megabytes, as the session's own fit a job's gigabytes. Which rule acts is not theirs to say."""


@dataclass(frozen=True)
class Feature:
    """A setting, a question, and what the final plan of it holds because of the setting."""

    setting: str
    question: Callable[[SparkSession], DataFrame]
    shows: str


def turned_out_small(spark: SparkSession) -> DataFrame:
    """A join that looks large before its filter has run."""
    facts = spark.range(0, 100_000, 1, 4).select(
        F.col("id").alias("key"), F.sha2(F.col("id").cast("string"), 256).alias("text")
    )
    few = facts.where(F.col("text").startswith("00")).select("key", F.length("text").alias("length"))
    return facts.join(few, "key", "inner").agg(F.count(F.lit(1)), F.sum("length"), F.max("text"))


def few_groups(spark: SparkSession) -> DataFrame:
    return spark.range(0, 10_000, 1, 4).groupBy((F.col("id") % 10).alias("key")).count()


def one_key_has_most_rows(spark: SparkSession) -> DataFrame:
    """Four of five lines are one product's."""
    product = F.when(F.col("id") % 5 != 0, F.lit(0)).otherwise(F.col("id") % 50)
    text = F.sha2(F.col("id").cast("string"), 256)
    lines = spark.range(0, 300_000, 1, 8).select(product.alias("product_id"), text.alias("text"))
    products = spark.range(0, 20_000, 1, 2).select(
        F.col("id").alias("product_id"), F.sha2(F.col("id").cast("string"), 512).alias("name")
    )
    return lines.join(products.hint("merge"), "product_id", "inner").agg(
        F.count(F.lit(1)), F.max("name"), F.max("text")
    )


def orders_of_few_days(spark: SparkSession) -> DataFrame:
    """Mirrors lie by day; which days are meant is known when the other side has been read."""
    day = F.date_add(F.lit(EPOCH.date()), F.col("id").cast("int")).alias("date")
    sundays = spark.range(DAYS).where(F.col("id") % 7 == 1).select(day)
    orders = spark.table("iceberg.ecommerce.orders")
    return orders.join(sundays, "date", "inner").agg(F.count(F.lit(1)), F.sum("total_amount"))


FEATURES = [
    Feature("spark.sql.adaptive.enabled", turned_out_small, "BroadcastHashJoin"),
    Feature("spark.sql.adaptive.localShuffleReader.enabled", turned_out_small, "AQEShuffleRead local"),
    Feature("spark.sql.adaptive.coalescePartitions.enabled", few_groups, "AQEShuffleRead coalesced"),
    Feature("spark.sql.adaptive.skewJoin.enabled", one_key_has_most_rows, "SortMergeJoin(skew=true)"),
    Feature("spark.sql.optimizer.dynamicPartitionPruning.enabled", orders_of_few_days, "IN dynamicpruning#"),
]


@pytest.fixture
def tuned(spark: SparkSession) -> SparkSession:
    """A session as a batch job has it, at a test's scale."""
    for key, value in {**ADAPTIVE, **SMALL_SCALE}.items():
        spark.conf.set(key, value)
    return spark


@pytest.fixture
def orders(lake: LocalLake) -> None:
    """An order a day."""
    mirror = as_mirror(ORDERS)
    days = [EPOCH + timedelta(days=number) for number in range(DAYS)]
    lake.fill(mirror, (row(mirror, seed, created_at=day, date=day.date()) for seed, day in enumerate(days)))


def answer(frame: DataFrame) -> tuple[list[object], str]:
    """The rows, and the plan as it was in the end."""
    rows = sorted(map(tuple, frame.collect()), key=str)
    plan = frame._jdf.queryExecution().executedPlan().toString()
    return rows, plan.split("== Initial Plan ==")[0]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.setting.split(".")[-2])
def test_the_feature_changes_the_plan_and_not_the_rows(tuned: SparkSession, feature: Feature) -> None:
    rows, plan = answer(feature.question(tuned))
    tuned.conf.set(feature.setting, "false")
    rows_without, plan_without = answer(feature.question(tuned))
    assert rows == rows_without
    assert feature.shows in plan, plan
    assert feature.shows not in plan_without, plan_without


def test_a_few_rows_come_in_one_partition_however_many_were_planned(tuned: SparkSession) -> None:
    groups = few_groups(tuned)
    assert groups.rdd.getNumPartitions() == 1
    assert "200)" in groups._jdf.queryExecution().executedPlan().toString()
