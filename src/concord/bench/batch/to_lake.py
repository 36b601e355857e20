"""Changes into the lake without Kafka: the rows that the sink would write, in commits of its size."""

from pathlib import Path
from typing import Any

import duckdb

from concord.batch.feeds import spark_name
from concord.bench.batch.files import reading
from concord.bench.batch.to_kafka import document
from concord.contracts.model import Dataset
from concord.contracts.tables import POSITION_COLUMNS, as_landed, lake_name

ROWS_PER_COMMIT = 100_000
"""What the sink commits every few seconds."""


def write(spark: Any, table: Dataset, path: Path, rows: int) -> None:
    """One file of placed changes, whose log positions are numbered on, appended in their order."""
    dataset = as_landed(table)
    changes = spark.read.parquet(str(_landed(table, path)))
    (first,) = changes.selectExpr("min(__source_lsn)").collect()[0]
    for low in range(first or 0, (first or 0) + rows, ROWS_PER_COMMIT):
        commit = changes.where(f"__source_lsn >= {low} and __source_lsn < {low + ROWS_PER_COMMIT}")
        commit.select(*map(lake_name, dataset.names)).writeTo(spark_name(dataset)).append()


def _landed(table: Dataset, path: Path) -> Path:
    """The same changes as the bytes that Debezium would have sent, beside the file."""
    there = path.with_suffix(".landed.parquet")
    position = ", ".join(f"{column.name} as {lake_name(column.name)}" for column in POSITION_COLUMNS)
    with duckdb.connect() as duck:
        duck.execute("set TimeZone = 'UTC'")
        duck.execute(
            f"copy (select encode({document(table)}::varchar) as value, {position}, __source_lsn "
            f"from {reading([path])}) to '{there}' (format parquet)"
        )
    return there
