"""The lake at one position, whatever is committed to it meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pyspark.sql import DataFrame, SparkSession

from concord.batch.feeds import spark_name
from concord.batch.mirrors import current_snapshot, known
from concord.batch.range import between
from concord.batch.read_lake import at_snapshot, sound_changes
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import TABLES, as_change
from concord.dialects.spark import struct
from concord.errors import Disagreement


@dataclass(frozen=True)
class Source:
    """What the jobs of one run read: mirrors and events at pinned snapshots, and the change logs behind them.

    A snapshot is None for a table that held nothing at the position.
    """

    spark: SparkSession
    position: Position
    as_of: datetime
    snapshots: Mapping[str, int | None]

    @property
    def today(self) -> date:
        """The day that counts as today."""
        return self.as_of.date()

    def mirror(self, table: Dataset) -> DataFrame:
        """One row per key, with ``date``, the day of its creation."""
        snapshot = self.snapshots[table.name]
        if snapshot is None:
            return self._empty(table).selectExpr("*", "to_date(created_at) as date")
        stored = self.spark.read.format("iceberg").option("snapshot-id", str(snapshot)).load(spark_name(table))
        return stored.select(*table.names, "date")

    def log(self, table: Dataset, above: Position | None = None) -> DataFrame:
        """Every change of the table up to the position."""
        log, wanted = as_change(table), between(cdc_topic(table), above or Position(), self.position)
        snapshot = self.snapshots[log.name]
        if wanted.is_empty or snapshot is None:
            return self._empty(log)
        return sound_changes(self.spark, table, wanted, snapshot).select(*log.names)

    def events(self, above: Position | None = None) -> DataFrame:
        """Every event up to the position, late ones among them."""
        wanted = between(EVENTS_TOPIC, above or Position(), self.position)
        snapshot = self.snapshots[EVENTS.name]
        if wanted.is_empty or snapshot is None:
            return self._empty(EVENTS)
        return at_snapshot(self.spark, EVENTS, wanted, snapshot).select(*EVENTS.names)

    def _empty(self, dataset: Dataset) -> DataFrame:
        return self.spark.createDataFrame([], struct(dataset))


def pin(spark: SparkSession, position: Position, as_of: datetime) -> Source:
    """The lake at a position that its mirrors hold.

    Raises :class:`Misconfigured` if a mirror does not know what it holds, :class:`Disagreement` if that is
    something else.
    """
    mirrors = {table.name: _mirror(spark, table, position) for table in TABLES.values()}
    logs = {as_change(table).name: current_snapshot(spark, as_change(table)) for table in TABLES.values()}
    return Source(spark, position, as_of, {**mirrors, **logs, EVENTS.name: current_snapshot(spark, EVENTS)})


def _mirror(spark: SparkSession, table: Dataset, position: Position) -> int | None:
    wanted = position.of_topic(cdc_topic(table))
    if not wanted.offsets:
        return None
    found = known(spark, table)
    if found.position != wanted:
        raise Disagreement(
            f"the lake's mirror {table.name} holds {found.position.as_json()}, the newest published batch "
            f"{wanted.as_json()}",
            "`concord batch run` brings them together",
        )
    return found.snapshot
