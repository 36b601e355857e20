"""Kafka's records as a micro-batch carries them from the source to the store."""

from typing import Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from concord.contracts.tables import POSITION_COLUMNS

POSITION = tuple(column.name for column in POSITION_COLUMNS)
BATCH_AT = "batch_at"
"""When the micro-batch was planned. Spark pins it: a second run of the batch has the same."""
CARRIED = (*POSITION, BATCH_AT)
"""What every step hands on."""
ORIGINAL = "original"
"""The record's bytes where a later step may need them, else null."""
IN_ORDER: list[tuple[str, Literal["ascending", "descending"]]] = [
    ("_topic", "ascending"),
    ("_partition", "ascending"),
    ("_offset", "ascending"),
]
"""Kafka's order, as Arrow sorts."""


def positioned(source: DataFrame) -> DataFrame:
    """Spark's Kafka columns → ``value``, the position and ``batch_at``. Apply it before the stream starts."""
    return source.select(
        F.col("value"),
        F.col("topic").alias("_topic"),
        F.col("partition").alias("_partition"),
        F.col("offset").alias("_offset"),
        F.col("timestamp").alias("_timestamp"),
        F.current_timestamp().alias(BATCH_AT),
    )
