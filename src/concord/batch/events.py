"""The clickstream in the batch layer: landed bytes become rows of ``events`` or dead letters, once each.

Of several copies of an event the first in Kafka's order is stored, unless an earlier batch has stored
one already: what was published is not taken back. Copies keep to one partition, because the key of
a record is its device or user, so the first in order is the first to come however the records are
split into batches.
"""

from datetime import datetime

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.batch.audit_events import Counts, Landed
from concord.batch.feeds import spark_name
from concord.batch.range import Range
from concord.batch.read_lake import at_snapshot, check_unique, instant, summarize
from concord.batch.verdicts import VERDICTS, verdicts
from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.tables import POSITION_KEY, lake_name
from concord.dialects.spark import struct

KEY = [name for name in POSITION_KEY if name != "_topic"]
"""Of a record within the one topic."""


def settle(spark: SparkSession, wanted: Range, snapshot: int | None, now: datetime) -> Landed:
    """Judge the range of the landing at ``snapshot`` and append what ``events`` and ``dead_letters`` lack.

    Run again it appends nothing. Raises :class:`Disagreement` if the landing holds a record twice.
    """
    landed = at_snapshot(spark, EVENTS_LANDING, wanted, snapshot)
    judged = landed.mapInArrow(verdicts, struct(VERDICTS)).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        check_unique(EVENTS_LANDING.name, wanted, summarize(judged))
        _append(DEAD_LETTERS, dead(judged, now).join(_held(spark, DEAD_LETTERS, wanted), KEY, "left_anti"))
        _append(EVENTS, first_copies(valid(judged)).join(_ids(spark), "event_id", "left_anti"))
        copies = valid(judged).join(_held(spark, EVENTS, wanted), KEY, "left_anti")
        duplicates = copies.join(_ids(spark), "event_id", "left_semi")
        return Landed(wanted, snapshot, _by_partition(judged), _by_partition(duplicates), now)
    finally:
        judged.unpersist()


def valid(judged: DataFrame) -> DataFrame:
    """The records that are events, copies among them."""
    return judged.where(F.col("reason").isNull()).select(*EVENTS.names)


def dead(judged: DataFrame, now: datetime) -> DataFrame:
    """The records that break their contract."""
    seen = judged.where(F.col("reason").isNotNull()).withColumn("first_seen_at", instant(now))
    return seen.select(*DEAD_LETTERS.names)


def first_copies(events: DataFrame) -> DataFrame:
    """Of every event the copy with the smallest (partition, offset)."""
    first = events.groupBy("event_id").agg(F.min(F.struct(*KEY)).alias("first"))
    return events.join(first.select("first.*"), KEY, "left_semi")


def _held(spark: SparkSession, dataset: Dataset, wanted: Range) -> DataFrame:
    """The positions of the range that the table holds by now."""
    return spark.table(spark_name(dataset)).where(wanted.in_lake()).select(*(F.col(lake_name(k)).alias(k) for k in KEY))


def _ids(spark: SparkSession) -> DataFrame:
    return spark.table(spark_name(EVENTS)).select("event_id")


def _append(dataset: Dataset, rows: DataFrame) -> None:
    """Nothing to add is no commit."""
    if not rows.isEmpty():
        rows.select(*(F.col(name).alias(lake_name(name)) for name in dataset.names)).writeTo(
            spark_name(dataset)
        ).append()


def _by_partition(rows: DataFrame) -> Counts:
    return {row["_partition"]: row["count"] for row in rows.groupBy("_partition").count().collect()}
