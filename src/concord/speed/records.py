"""Kafka's records as a micro-batch carries them from the source to the store."""

from typing import Literal

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from concord.contracts.model import Dataset
from concord.contracts.tables import POSITION_COLUMNS
from concord.dialects.spark import struct

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


def arrow_schema(dataset: Dataset) -> pa.Schema:
    """The dataset's columns as Spark's workers see them."""
    return to_arrow_schema(struct(dataset))
