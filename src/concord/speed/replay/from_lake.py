"""The lake's rows as a query's micro-batches carry them."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY, LAKE_NAMESPACE
from concord.contracts.tables import TABLES, as_landed, lake_name
from concord.errors import Disagreement
from concord.gateways.lake import SPARK_CATALOG
from concord.speed.changes import parsed
from concord.speed.records import POSITION
from concord.speed.validate import validated

LANDED: Mapping[str, Sequence[Dataset]] = {
    EVENTS_QUERY: (EVENTS_LANDING,),
    CHANGES_QUERY: tuple(as_landed(table) for table in TABLES.values()),
}
"""What the sinks write of a query's topics."""

Snapshots = Mapping[str, int]
Span = tuple[int, int]


def records(spark: SparkSession, query: str, snapshots: Snapshots, span: Span) -> DataFrame:
    """What the query's own transformation makes of the records received in ``span``."""
    landed = [
        _at(spark, dataset, snapshots).where(_within(span)) for dataset in LANDED[query] if dataset.name in snapshots
    ]
    rows = reduce(DataFrame.unionByName, (each.select("value", *POSITION) for each in landed))
    return validated(rows) if query == EVENTS_QUERY else parsed(rows)


def receipts(spark: SparkSession, query: str, snapshots: Snapshots, size: int) -> tuple[int, ...]:
    """Receipts that cut what the lake holds into pieces of about ``size`` records, ascending, the last one's at the end.

    Raises :class:`Disagreement` if the lake holds a record twice.
    """
    found = [_at(spark, dataset, snapshots) for dataset in LANDED[query] if dataset.name in snapshots]
    if not found:
        return ()
    positions = reduce(DataFrame.unionByName, (rows.select(*POSITION) for rows in found))
    total, distinct = positions.agg(F.count(F.lit(1)), F.count_distinct(*POSITION[:3])).collect()[0]
    if total != distinct:
        raise Disagreement(f"the lake holds {total - distinct} records of {query} twice", "`concord lake audit`")
    pieces = max(1, -(-total // size))
    shares = [number / pieces for number in range(1, pieces + 1)]
    received = F.unix_millis("_timestamp")
    ends, last = positions.agg(F.percentile_approx(received, shares, 100_000), F.max(received)).collect()[0]
    return tuple(sorted({*ends, last}))


def _at(spark: SparkSession, dataset: Dataset, snapshots: Snapshots) -> DataFrame:
    """A table at its pinned snapshot, by the names that its columns have elsewhere."""
    name = f"{SPARK_CATALOG}.{LAKE_NAMESPACE}.{dataset.name}"
    rows = spark.read.format("iceberg").option("snapshot-id", str(snapshots[dataset.name])).load(name)
    return rows.select(*(F.col(lake_name(column)).alias(column) for column in dataset.names))


def _within(span: Span) -> SparkColumn:
    after, upto = (F.timestamp_millis(F.lit(moment)) for moment in span)
    return (F.col("_timestamp") > after) & (F.col("_timestamp") <= upto)
