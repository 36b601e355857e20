"""Changes into the lake without Kafka: the rows that the sink would write, in commits of its size."""

from pathlib import Path
from typing import Any

from concord.batch.feeds import spark_name
from concord.contracts.model import Dataset
from concord.contracts.tables import as_change, lake_name

ROWS_PER_COMMIT = 100_000
"""What the sink commits every few seconds."""


def write(spark: Any, table: Dataset, path: Path, rows: int) -> None:
    """One file of placed changes, whose log positions are numbered on, appended in their order."""
    dataset = as_change(table)
    columns = [f"{name} as {lake_name(name)}" for name in dataset.names]
    changes = spark.read.parquet(str(path))
    (first,) = changes.selectExpr("min(__source_lsn)").collect()[0]
    for low in range(first or 0, (first or 0) + rows, ROWS_PER_COMMIT):
        commit = changes.where(f"__source_lsn >= {low} and __source_lsn < {low + ROWS_PER_COMMIT}")
        commit.selectExpr(*columns).writeTo(spark_name(dataset)).append()
