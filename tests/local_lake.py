"""A lake in a folder: real Iceberg tables, written by Spark alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from concord import bootstrap
from concord.batch.feeds import spark_name
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, LAKE_NAMESPACE
from concord.contracts.position import Position
from concord.contracts.tables import as_landed, as_mirror, in_lake, lake_name
from concord.dialects.iceberg import BATCH_DATASETS, LAKE_DATASETS, TABLE_PROPERTIES, partition_transform
from concord.dialects.spark import struct
from concord.errors import Misconfigured
from concord.gateways.lake import SPARK_CATALOG, SPARK_EXTENSIONS
from concord.gateways.spark import spark_session
from concord.settings import load_settings
from tests.factories import change_bytes
from tests.frames import frame_of

Row = dict[str, Any]
RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When Kafka took every landed record."""


def lake_machine() -> SparkSession:
    """A session that can have lakes. Skips the test where Spark's jars are not installed."""
    try:
        jars = bootstrap.spark_jars(load_settings())
    except Misconfigured as error:
        pytest.skip(f"Spark's jars are not installed: {error.message}")
    return spark_session("test", "local[2]", "1500m", jars=jars, options={"spark.sql.extensions": SPARK_EXTENSIONS})


def lake_session(machine: SparkSession, folder: Path) -> SparkSession:
    """A session of that machine whose lake lies in ``folder``."""
    session = machine.newSession()
    catalog = f"spark.sql.catalog.{SPARK_CATALOG}"
    session.conf.set(catalog, "org.apache.iceberg.spark.SparkCatalog")
    session.conf.set(f"{catalog}.type", "hadoop")
    session.conf.set(f"{catalog}.warehouse", str(folder))
    session.sql(f"create namespace if not exists {SPARK_CATALOG}.{LAKE_NAMESPACE}")
    return session


@dataclass
class LocalLake:
    """The landed tables, with the questions that a batch asks of the real lake."""

    spark: SparkSession

    def append(self, table: Dataset, *rows: Row) -> None:
        """Changes of a table, as its sink lands them."""
        self.fill(as_landed(table), [{**row, "value": change_bytes(table, row)} for row in rows])
        self.create(in_lake(as_mirror(table)))

    def land(self, *records: tuple[int, int, bytes | None], received_at: datetime = RECEIVED) -> None:
        """(partition, offset, value) as the sink of the clickstream lands them."""
        position = ("_topic", "_partition", "_offset", "_timestamp")
        rows = [
            {"value": value, **dict(zip(position, (EVENTS_TOPIC, partition, offset, received_at), strict=True))}
            for partition, offset, value in records
        ]
        self.fill(EVENTS_LANDING, rows)
        for dataset in BATCH_DATASETS:
            self.create(dataset)

    def fill(self, dataset: Dataset, rows: Iterable[Row]) -> None:
        stored = in_lake(dataset)
        values = [tuple(_plain(row[name]) for name in dataset.names) for row in rows]
        self.create(stored)
        frame_of(self.spark, struct(stored), values).writeTo(spark_name(stored)).append()

    def create(self, stored: Dataset) -> None:
        """The table as provisioning makes it, unless it is there; ``stored`` has the lake's names."""
        if self.spark.catalog.tableExists(spark_name(stored)):
            return
        empty = frame_of(self.spark, struct(stored), []).writeTo(spark_name(stored)).using("iceberg")
        for key, value in TABLE_PROPERTIES.items():
            empty = empty.tableProperty(key, value)
        partition = partition_transform(stored)
        if partition:
            column, transform = partition
            empty = empty.partitionedBy(F.days(column) if transform == "day" else F.col(column))
        empty.create()

    def table(self, dataset: Dataset) -> DataFrame:
        return self.spark.table(spark_name(dataset))

    def clear(self) -> None:
        for dataset in LAKE_DATASETS:
            self.spark.sql(f"drop table if exists {spark_name(dataset)} purge")

    def current_snapshot(self, name: str) -> int | None:
        full = f"{SPARK_CATALOG}.{LAKE_NAMESPACE}.{name}"
        if not self.spark.catalog.tableExists(full):
            return None
        newest = self.spark.table(f"{full}.snapshots").orderBy(F.desc("committed_at")).first()
        return None if newest is None else int(newest["snapshot_id"])

    def position(self, name: str, snapshot_id: int | None = None) -> Position:
        return self.extent(name, snapshot_id)[1]

    def extent(
        self, name: str, snapshot_id: int | None = None, row_filter: str | None = None
    ) -> tuple[Position, Position]:
        full = f"{SPARK_CATALOG}.{LAKE_NAMESPACE}.{name}"
        rows = self.spark.read.format("iceberg").option("snapshot-id", str(snapshot_id)).load(full)
        kept = rows.where(row_filter or "true").groupBy("_topic", lake_name("_partition"))
        found = kept.agg(F.min("_offset"), F.max("_offset")).collect()
        lowest, highest = ([(row[0], row[1], row[place]) for row in found] for place in (2, 3))
        return Position.of(lowest), Position.of(highest)


def _plain(value: Any) -> Any:
    """As Spark takes it from Python: without an enumeration."""
    return str(value) if isinstance(value, str) else value
