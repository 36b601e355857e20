"""A session with frames that look like Spark's Kafka source, and one with a lake in a folder."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import (
    BinaryType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from concord.gateways.spark import end_session
from concord.speed.records import positioned
from tests.frames import frame_of
from tests.local_lake import LocalLake, lake_machine, lake_session

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When Kafka took every record of a test frame."""

KAFKA = StructType(
    [
        StructField("value", BinaryType()),
        StructField("topic", StringType()),
        StructField("partition", IntegerType()),
        StructField("offset", LongType()),
        StructField("timestamp", TimestampType()),
    ]
)
"""What Spark's Kafka source gives, as far as it is read."""

FromKafka = Callable[[Sequence[tuple[str, bytes | None]]], DataFrame]
"""(topic, value) pairs → positioned records of partition 0, offsets counted up from 0."""


@dataclass(frozen=True)
class Java:
    """One Java machine for every module here, to the end of the tests: half of what a small test of Spark costs is its start."""

    session: SparkSession
    outliving: ExitStack
    """What may end only after Java has."""


@pytest.fixture(scope="session")
def java() -> Iterator[Java]:
    with ExitStack() as outliving:
        session = lake_machine()
        yield Java(session, outliving)
        end_session(session)


@pytest.fixture(scope="module")
def plain_spark(java: Java) -> SparkSession:
    session = java.session.newSession()
    session.conf.set("spark.sql.shuffle.partitions", "1")
    return session


@pytest.fixture(scope="module")
def from_kafka(plain_spark: SparkSession) -> FromKafka:
    def frame(records: Sequence[tuple[str, bytes | None]]) -> DataFrame:
        rows = [(value, topic, 0, offset, RECEIVED) for offset, (topic, value) in enumerate(records)]
        return positioned(frame_of(plain_spark, KAFKA, rows))

    return frame


@pytest.fixture(scope="module")
def spark(java: Java, tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return lake_session(java.session, tmp_path_factory.mktemp("lake"))


@pytest.fixture
def lake(spark: SparkSession) -> Iterator[LocalLake]:
    found = LocalLake(spark)
    yield found
    found.clear()
