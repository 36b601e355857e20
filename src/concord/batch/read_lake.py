"""Rows out of the lake: one range of one table at one pinned snapshot, ready for RAW."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.batch.days import Days
from concord.batch.feeds import CHANGE_FEEDS, Feed, spark_name
from concord.batch.range import Range, Span
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.tables import as_landed, lake_name
from concord.errors import Disagreement
from concord.gateways.lake import Lake
from concord.landed.changes import judged, received, sound

Snapshots = dict[str, int | None]
"""Pinned Iceberg snapshot by table of the lake; None for a table that nothing was ever written to."""

SPLIT_BYTES = 16 << 20
"""Of compressed files, per task. The warehouse's connector holds all that a task writes in memory, as compressed text:
Iceberg's own 128 MiB, millions of rows, are more than two tasks have room for in a heap of 3 GB."""

LANDED = (*(feed.lake for feed in CHANGE_FEEDS), EVENTS_LANDING)
"""What the sinks write, and so what a batch pins."""


@dataclass(frozen=True)
class Pin:
    """The lake as this batch sees it, whatever the sinks commit meanwhile."""

    snapshots: Snapshots
    position: Position


@dataclass(frozen=True)
class Summary:
    """What a range holds: ``changed_at`` is when PostgreSQL committed its latest change, or Kafka took its last event."""

    rows: int
    distinct: int
    changed_at: datetime | None


def pin(lake: Lake) -> Pin:
    """One snapshot per landed table, and the position that they hold together."""
    snapshots: Snapshots = {}
    position = Position()
    for landed in LANDED:
        snapshots[landed.name] = snapshot = lake.current_snapshot(landed.name)
        if snapshot is not None:
            position = position.merge(lake.position(landed.name, snapshot))
    return Pin(snapshots, position)


def received_on(lake: Lake, pinned: Pin, days: Days) -> Span:
    """What Kafka received on these days. It stamps records as they come, so that days are ranges of offsets."""
    above, upto = Position(), Position()
    for name, snapshot in pinned.snapshots.items():
        if snapshot is not None:
            lowest, highest = lake.extent(name, snapshot, days.instants("_timestamp"))
            above = above.merge(lowest.before())
            upto = upto.merge(highest)
    return Span(above, upto)


def at_snapshot(spark: SparkSession, dataset: Dataset, wanted: Range, snapshot: int | None) -> DataFrame:
    """The range's rows of one table, by their names outside of the lake, with the file that each came from."""
    columns = [F.col(lake_name(name)).alias(name) for name in dataset.names]
    options = {"snapshot-id": str(snapshot), "split-size": str(SPLIT_BYTES)}
    table = spark.read.format("iceberg").options(**options).load(spark_name(dataset))
    return table.where(wanted.in_lake()).select(*columns, F.col("_file").alias("file_name"))


def changes(spark: SparkSession, feed: Feed, wanted: Range, snapshot: int | None) -> DataFrame:
    """The range's rows of a feed, as far as they go over; change records as they came."""
    rows = at_snapshot(spark, feed.lake, wanted, snapshot)
    return received(rows) if feed.table else rows.select(*feed.carried, "file_name")


def sound_changes(spark: SparkSession, table: Dataset, wanted: Range, snapshot: int | None) -> DataFrame:
    """The range's changes of a table, typed, without those that are set aside."""
    return sound(judged(at_snapshot(spark, as_landed(table), wanted, snapshot), table))


def for_raw(rows: DataFrame, feed: Feed, batch_id: str, loaded_at: datetime) -> DataFrame:
    """Rows of the lake as RAW takes them, change records with their verdicts, and the load's metadata."""
    stamped = {"loaded_at": instant(loaded_at), "batch_id": F.lit(batch_id)}
    read = judged(rows, feed.table) if feed.table else rows
    return read.select(*(stamped.get(name, F.col(name)).alias(name) for name in feed.staged))


def summarize(rows: DataFrame) -> Summary:
    """Counts the rows in the lake. Their position must be unique: a file registered twice would show here."""
    found = rows.agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct("_partition", "_offset").alias("distinct"),
        F.max(_changed_ms(rows)).alias("changed_ms"),
    ).collect()[0]
    changed_ms = found["changed_ms"]
    changed_at = None if changed_ms is None else datetime.fromtimestamp(changed_ms / 1000, UTC)
    return Summary(found["rows"], found["distinct"], changed_at)


def _changed_ms(rows: DataFrame) -> Column:
    """A change record says when it was committed."""
    if "value" not in rows.columns:
        return F.unix_millis("_timestamp")
    return F.get_json_object(F.col("value").cast("string"), "$.__source_ts_ms").cast("long")


def check_unique(table: str, wanted: Range, summary: Summary) -> None:
    """Raises :class:`Disagreement` if the lake holds a record more than once."""
    if summary.rows != summary.distinct:
        repeated = summary.rows - summary.distinct
        raise Disagreement(f"lake table {table} holds {repeated} changes twice ({wanted.in_lake()})")


def instant(value: datetime) -> Column:
    return F.timestamp_millis(F.lit(int(value.timestamp() * 1000)))
