"""Plans of micro-batches: the Java code that Spark makes for one serves the next."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.tables import ORDERS
from concord.speed.changes import parsed
from concord.speed.records import BATCH_AT, positioned
from concord.speed.tally import Done
from concord.speed.validate import validated
from concord.speed.worker import in_one_task
from tests.spark.conftest import RECEIVED
from tests.waiting import eventually

pytestmark = pytest.mark.spark

BATCHES = 3
SECOND = timedelta(seconds=1)


def records(spark: SparkSession, topic: str) -> DataFrame:
    """An endless stream, ten a micro-batch, of records that no contract knows."""
    rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).load()
    kafka = rows.select(
        F.col("value").cast("string").cast("binary").alias("value"),
        F.lit(topic).alias("topic"),
        F.lit(0).alias("partition"),
        F.col("value").alias("offset"),
        F.lit(RECEIVED).alias("timestamp"),
    )
    return positioned(kafka)


class Moment:
    """Tells the moment that all records have."""

    def begin(self, records: pa.Table) -> tuple[pa.Table, None]:
        return records, None

    def finish(self, records: pa.Table, begun: Sequence[None]) -> Done:
        (planned_at,) = records[BATCH_AT].unique().to_pylist()
        assert planned_at is not None
        return Done(measures={"planned_at": planned_at.timestamp()})


@pytest.mark.parametrize(("topic", "transformed"), [(EVENTS_TOPIC, validated), (cdc_topic(ORDERS), parsed)])
def test_a_micro_batch_is_not_compiled_anew(
    spark: SparkSession, tmp_path: Path, topic: str, transformed: Callable[[DataFrame], DataFrame]
) -> None:
    compiled: list[int] = []
    planned: list[float] = []
    virtual_machine = spark.sparkContext._jvm
    assert virtual_machine is not None
    metrics = virtual_machine.org.apache.spark.metrics.source.CodegenMetrics

    def micro_batch(rows: DataFrame, number: int) -> None:
        planned.append(
            in_one_task(rows.repartition(1), Moment(), "test", RECEIVED + number * SECOND).measures["planned_at"]
        )
        compiled.append(int(metrics.METRIC_COMPILATION_TIME().getCount()))

    query = (
        transformed(records(spark, topic))
        .writeStream.foreachBatch(micro_batch)
        .option("checkpointLocation", str(tmp_path))
        .start()
    )
    try:
        eventually(lambda: query.exception() or len(compiled) >= BATCHES)
    finally:
        query.stop()
    assert query.exception() is None
    assert len(set(compiled[1:])) == 1
    assert planned[:2] == [RECEIVED.timestamp(), (RECEIVED + SECOND).timestamp()]
