"""Rows of Python as a frame of Spark."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType


def frame_of(spark: SparkSession, schema: StructType, rows: Iterable[Sequence[Any]]) -> DataFrame:
    """In one partition and in their order. By way of Arrow: plain rows would be unpacked by a Python worker, whose
    start takes longer than what most tests do with it.
    """
    return spark.createDataFrame(pd.DataFrame(rows, columns=schema.names, dtype=object), schema).coalesce(1)
