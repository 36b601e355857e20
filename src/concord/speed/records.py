"""Kafka's records as a micro-batch carries them from the source to the store."""

from datetime import datetime
from typing import Literal

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from concord.contracts.tables import POSITION_COLUMNS

POSITION = tuple(column.name for column in POSITION_COLUMNS)
"""What every step hands on."""
BATCH_AT = "batch_at"
"""When the micro-batch was planned: one instant for all of its records, the same in a second run.

It joins them in the worker. In the stream it would be Spark's ``current_timestamp()``, which is written as a number
into the Java code made of a plan: every micro-batch would be compiled anew, and run cold.
"""
ORIGINAL = "original"
"""The record's bytes where a later step may need them, else null."""
IN_ORDER: list[tuple[str, Literal["ascending", "descending"]]] = [
    ("_topic", "ascending"),
    ("_partition", "ascending"),
    ("_offset", "ascending"),
]
"""Kafka's order, as Arrow sorts."""


def positioned(source: DataFrame) -> DataFrame:
    """Spark's Kafka columns → ``value`` and the position."""
    return source.select(
        F.col("value"),
        F.col("topic").alias("_topic"),
        F.col("partition").alias("_partition"),
        F.col("offset").alias("_offset"),
        F.col("timestamp").alias("_timestamp"),
    )


def planned(records: pa.Table, at: datetime) -> pa.Table:
    """The same records with ``batch_at``."""
    return records.append_column(BATCH_AT, pa.repeat(pa.scalar(at, pa.timestamp("us", "UTC")), records.num_rows))
