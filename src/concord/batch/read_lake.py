"""Changes out of the lake: one range of one table at one pinned snapshot, ready for RAW."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.batch.range import Range
from concord.contracts.model import Dataset
from concord.contracts.names import LAKE_NAMESPACE
from concord.contracts.position import Position
from concord.contracts.tables import LAKE_NAMES, TABLES, as_change, as_raw
from concord.errors import Disagreement
from concord.gateways.lake import SPARK_CATALOG, Lake

Snapshots = dict[str, int | None]
"""Pinned Iceberg snapshot by table; None for a table that nothing was ever written to."""


@dataclass(frozen=True)
class Pin:
    """The lake as this batch sees it, whatever the sink commits meanwhile."""

    snapshots: Snapshots
    position: Position


@dataclass(frozen=True)
class Summary:
    """What a range holds: ``changed_at`` is when PostgreSQL committed its latest change."""

    rows: int
    distinct: int
    changed_at: datetime | None


def pin(lake: Lake) -> Pin:
    """One snapshot per change log, and the position that they hold together."""
    snapshots: Snapshots = {}
    position = Position()
    for table in TABLES.values():
        name = as_change(table).name
        snapshots[table.name] = snapshot = lake.current_snapshot(name)
        if snapshot is not None:
            position = position.merge(lake.position(name, snapshot))
    return Pin(snapshots, position)


def changes(spark: SparkSession, wanted: Range, snapshot: int | None) -> DataFrame:
    """The range's rows in the warehouse's names, with the lake file that each came from."""
    name = f"{SPARK_CATALOG}.{LAKE_NAMESPACE}.{as_change(wanted.table).name}"
    there = {warehouse: lake for lake, warehouse in _warehouse_names(wanted.table).items()}
    columns = [F.col(there[column]).alias(column) for column in as_change(wanted.table).names]
    return (
        spark.read.format("iceberg")
        .option("snapshot-id", str(snapshot))
        .load(name)
        .where(wanted.in_lake())
        .select(*columns, F.col("_file").alias("file_name"))
    )


def for_raw(rows: DataFrame, table: Dataset, batch_id: str, loaded_at: datetime) -> DataFrame:
    """The rows with the load's metadata, in the contract's order of RAW."""
    stamped = {"loaded_at": _instant(loaded_at), "batch_id": F.lit(batch_id)}
    return rows.select(*(stamped.get(name, F.col(name)).alias(name) for name in as_raw(table).names))


def summarize(rows: DataFrame) -> Summary:
    """Counts the rows in the lake. Their position must be unique: a file registered twice would show here."""
    found = rows.agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct("_partition", "_offset").alias("distinct"),
        F.unix_millis(F.max("__source_ts_ms")).alias("changed_ms"),
    ).collect()[0]
    changed_ms = found["changed_ms"]
    changed_at = None if changed_ms is None else datetime.fromtimestamp(changed_ms / 1000, UTC)
    return Summary(found["rows"], found["distinct"], changed_at)


def check_unique(wanted: Range, summary: Summary) -> None:
    """Raises :class:`Disagreement` if the lake holds a change more than once."""
    if summary.rows != summary.distinct:
        repeated = summary.rows - summary.distinct
        raise Disagreement(
            f"lake table {as_change(wanted.table).name} holds {repeated} changes twice ({wanted.in_lake()})"
        )


def _warehouse_names(table: Dataset) -> dict[str, str]:
    """Column in the lake → column in the warehouse."""
    return {LAKE_NAMES.get(name, name): name for name in as_change(table).names}


def _instant(value: datetime) -> Column:
    return F.timestamp_millis(F.lit(int(value.timestamp() * 1000)))
