"""Keeping the lake fit: fewer and larger files, fewer snapshots, nothing that lies there for nothing.

Readers and the sinks go on meanwhile: every job commits like any other writer and gives way by trying
again. Only partitions that no sink writes into any more are compacted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import stamina
from pyspark.sql import SparkSession

from concord.batch.feeds import spark_name
from concord.batch.mirrors import carry_over
from concord.batch.spark_words import in_words
from concord.contracts.derived import EVENT_AUDIT, LOAD_AUDIT, PUBLICATIONS
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, LAKE_NAMESPACE, cdc_topic
from concord.contracts.tables import TABLES, as_change
from concord.dialects.iceberg import METRICS, MIRRORS
from concord.errors import Unavailable
from concord.gateways.lake import SPARK_CATALOG, Lake
from concord.gateways.lake.files import Figures, Stored
from concord.gateways.snowflake import Snowflake

LEASE = "maintenance"
ATTEMPTS = 5

TableJob = Callable[[SparkSession, Dataset], None]
"""What is done to one table."""

COMPACTION = {
    "partial-progress.enabled": "true",
    "partial-progress.max-commits": "10",
    "max-concurrent-file-group-rewrites": "2",
    "min-input-files": "2",
}
"""What is done stays done if the job is broken off, and each commit is small enough to be tried again."""

REMEMBERING = (*MIRRORS, *METRICS)
"""Tables that remember the position they hold, and that batches alone write."""

AUDITED = {
    EVENTS_LANDING.name: (EVENT_AUDIT.name, EVENTS_TOPIC),
    **{as_change(table).name: (LOAD_AUDIT.name, cdc_topic(table)) for table in TABLES.values()},
}
"""Where the snapshot that a batch read of a landed table is written down."""


@dataclass(frozen=True)
class Maintained:
    """One table before and after."""

    table: str
    before: Figures
    after: Figures


def maintained(lake: Lake, spark: SparkSession, dataset: Dataset, job: TableJob) -> Maintained:
    """Do the job, with the figures before and after."""
    before = lake.figures(dataset.name)
    job(spark, dataset)
    return Maintained(dataset.name, before, lake.figures(dataset.name))


def compact(spark: SparkSession, dataset: Dataset, now: datetime) -> None:
    """Small files of cold partitions into few of the target size. The rows are the same."""
    options = ", ".join(f"'{key}', '{value}'" for key, value in COMPACTION.items())
    _call(spark, "rewrite_data_files", dataset, f"options => map({options}){_cold(dataset, now)}")
    if dataset in REMEMBERING:
        carry_over(spark, dataset)


def _cold(dataset: Dataset, now: datetime) -> str:
    """A log is split by day of arrival, and today's is being written; what batches alone write is cold now.

    A table in one piece is cold too: its writers are people, and an append conflicts with no rewrite.
    """
    if dataset in REMEMBERING or dataset.partition is None:
        return ""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return f", where => \"{dataset.partition} < timestamp '{today:%Y-%m-%d %H:%M:%S}'\""


def rewrite_manifests(spark: SparkSession, dataset: Dataset) -> None:
    """Few manifests, ordered by partition, so that less is read to plan."""
    _call(spark, "rewrite_manifests", dataset, "use_caching => false")
    if dataset in REMEMBERING:
        carry_over(spark, dataset)


def expire(spark: SparkSession, dataset: Dataset, before: datetime, keep: int) -> None:
    """Forget snapshots committed before then, but for the newest ``keep``, and delete what only they needed."""
    older_than = f"timestamp '{before.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
    _call(spark, "expire_snapshots", dataset, f"older_than => {older_than}, retain_last => {keep}")


def expendable_before(lake: Lake, warehouse: Snowflake, dataset: Dataset, wanted: datetime) -> datetime:
    """``wanted``, or the time of the snapshot that the newest published batch read, whichever is earlier."""
    if dataset.name not in AUDITED:
        return wanted
    pinned = _pinned(warehouse, *AUDITED[dataset.name])
    times = [snapshot.committed_at for snapshot in lake.snapshots(dataset.name) if str(snapshot.id) == pinned]
    return min([wanted, *times])


def _pinned(warehouse: Snowflake, audit: str, topic: str) -> str | None:
    rows = warehouse.query(
        f"select snapshot_id from RAW.{audit} where _topic = %s "
        f"and batch_id in (select batch_id from RAW.{PUBLICATIONS.name}) order by batch_id desc limit 1",
        (topic,),
    )
    return str(rows[0][0]) if rows else None


def clean_orphans(lake: Lake, dataset: Dataset, before: datetime) -> list[Stored]:
    """Delete objects older than ``before`` that nothing refers to; what was deleted."""
    found = lake.orphans(dataset.name, before)
    lake.delete_orphans(dataset.name, found)
    return found


def age(now: datetime, hours: float) -> datetime:
    """So many hours ago."""
    return now - timedelta(hours=hours)


@stamina.retry(on=Unavailable, attempts=ATTEMPTS, timeout=None)
def _call(spark: SparkSession, procedure: str, dataset: Dataset, arguments: str) -> None:
    """A commit of a sink may come in between, and the job gives way: it is done again on what is there then."""
    statement = f"call {SPARK_CATALOG}.system.{procedure}(table => '{LAKE_NAMESPACE}.{dataset.name}', {arguments})"
    with in_words(f"do {procedure.replace('_', ' ')} of {dataset.name}", "what was committed stays; try again"):
        spark.sql(f"refresh table {spark_name(dataset)}")
        spark.sql(statement)
