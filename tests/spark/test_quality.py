"""Every declared rule finds in Spark what it finds row by row in Python."""

from dataclasses import replace

import pytest
from pyspark.sql import SparkSession

from concord.contracts.expectations import Layer
from concord.dialects.expectations import daily, relation
from concord.dialects.spark import struct
from concord.dialects.spelling import spelled
from concord.quality import layers
from concord.rules.data_quality import MEASURES
from tests.frames import frame_of
from tests.quality_oracle import broken, faulty_shop

pytestmark = pytest.mark.spark


def test_rules_find_in_spark_what_they_find_row_by_row(plain_spark: SparkSession) -> None:
    shop = faulty_shop(seed=1)
    for name, dataset in layers.HOLDS[Layer.LAKE].items():
        lax = replace(dataset, columns=tuple(replace(column, nullable=True) for column in dataset.columns))
        rows = [tuple(each[column] for column in lax.names) for each in shop[name]]
        frame_of(plain_spark, struct(lax), rows).createOrReplaceTempView(relation(name))
    found = plain_spark.sql(spelled(layers.violations(Layer.LAKE), "snowflake", "spark")).collect()
    assert sorted((row["rule"], row["row_key"]) for row in found) == broken(shop)
    for measure in MEASURES.values():
        assert plain_spark.sql(spelled(daily(measure), "snowflake", "spark")).columns == ["day", "figure"]
