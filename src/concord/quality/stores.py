"""Where a layer's rules are checked: the warehouse looks after itself, Spark looks after the lake."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from concord.contracts.expectations import QUALITY_SCHEMA, Layer
from concord.contracts.names import LAKE_NAMESPACE
from concord.contracts.position import Publication
from concord.contracts.tables import TABLES, as_landed, lake_name
from concord.dialects.expectations import ENGINE, relation
from concord.dialects.spelling import spelled
from concord.gateways.lake import SPARK_CATALOG
from concord.gateways.snowflake import Snowflake
from concord.landed.changes import judged, sound
from concord.quality.layers import Subject, from_log, from_staging

CONNECTOR = "net.snowflake.spark.snowflake"
LOAD_TABLE = "load_violations"
SPARK = "spark"

Row = tuple[Any, ...]


class Store(Protocol):
    """Queries are in Snowflake's words."""

    layer: Layer

    def prepare(self, publication: Publication) -> None:
        """Make every dataset readable under its checked name, at the batch's position."""

    def query(self, statement: str) -> list[Row]: ...

    def in_warehouse(self, query: str) -> str:
        """A relation of the warehouse with the query's rows."""


@dataclass
class WarehouseStore:
    """RAW or STAGING. Each dataset is computed once, into a temporary table of the session."""

    warehouse: Snowflake
    layer: Layer

    def prepare(self, publication: Publication) -> None:
        for subject in self._subjects(publication):
            name = f"{QUALITY_SCHEMA}.{relation(subject.dataset)}"
            self.warehouse.execute(f"create or replace temporary table {name} as {subject.query}")

    def _subjects(self, publication: Publication) -> Iterable[Subject]:
        if self.layer is Layer.STAGING:
            return from_staging()
        return from_log(publication, {name: f"RAW.{name}" for name in TABLES})

    def query(self, statement: str) -> list[Row]:
        return self.warehouse.query(statement)

    def in_warehouse(self, query: str) -> str:
        return f"({query})"


@dataclass
class LakeStore:
    """The change logs of the lake, without what the batch sets aside. What breaks a rule goes to the warehouse
    through the official connector."""

    spark: SparkSession
    connector_options: Mapping[str, str]
    layer: Layer = Layer.LAKE

    def prepare(self, publication: Publication) -> None:
        for table in TABLES.values():
            log = as_landed(table)
            there = self.spark.table(f"{SPARK_CATALOG}.{LAKE_NAMESPACE}.{log.name}")
            names = [F.col(lake_name(name)).alias(name) for name in log.names]
            landed = there.select(*names, F.col("_file").alias("file_name"))
            sound(judged(landed, table)).createOrReplaceTempView(f"lake_{log.name}")
        for subject in from_log(publication, {name: f"lake_{name}_changes" for name in TABLES}):
            rows = self.spark.sql(spelled(subject.query, ENGINE, SPARK)).persist(StorageLevel.MEMORY_AND_DISK)
            rows.createOrReplaceTempView(relation(subject.dataset))

    def query(self, statement: str) -> list[Row]:
        rows = self.spark.sql(spelled(statement, ENGINE, SPARK)).collect()
        return [tuple(map(_in_utc, row)) for row in rows]

    def in_warehouse(self, query: str) -> str:
        rows = self.spark.sql(spelled(query, ENGINE, SPARK))
        writer = rows.write.format(CONNECTOR).options(**self.connector_options)
        writer.option("dbtable", LOAD_TABLE).mode("overwrite").save()
        return f"{QUALITY_SCHEMA}.{LOAD_TABLE}"


def _in_utc(value: Any) -> Any:
    """pyspark gives instants as this process's wall clock."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
