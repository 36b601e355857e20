"""The official Spark connector against the stand-in: what is written is what is read."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as t

from concord.gateways.spark import end_session, spark_session
from concord.settings import load_settings
from tests.conformance.snowflake.server import Server
from tests.frames import frame_of

pytestmark = [pytest.mark.integration, pytest.mark.spark]

CONNECTOR = "net.snowflake.spark.snowflake"
COLUMNS = t.StructType(
    [
        t.StructField("id", t.LongType()),
        t.StructField("text", t.StringType()),
        t.StructField("price", t.DecimalType(10, 2)),
        t.StructField("total", t.DecimalType(38, 2)),
        t.StructField("happened", t.TimestampType()),
        t.StructField("day", t.DateType()),
        t.StructField("flag", t.BooleanType()),
        t.StructField("ratio", t.DoubleType()),
        t.StructField("_offset", t.LongType()),
    ]
)
TEXTS = (
    None,
    "",
    "NULL",
    "\\N",
    '"',
    '""',
    "q\"uo\"te, comma\nnewline 'single' \\back | pipe",
    "crlf\r\nx",
    "a\tb",
    " space ",
    "007",
    "1e5",
    "true",
    "2024-01-01",
    "ünïcödé 🎉 日本",
    "$usd $1 {x} %s",
)
LAST = date(9999, 12, 31)
LOWEST = Decimal("-99999999.99")
LARGEST = Decimal("123456789012345678901234567890123456.78")
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "all", Decimal("12.50"), LARGEST, datetime(2024, 1, 1, 1, 2, 3, 456000, UTC), date(2024, 1, 1), True, 1.5, 0),
    (2, "low", LOWEST, -LARGEST, datetime(1969, 12, 31, 23, 59, 59, 500000, UTC), date(1, 1, 1), False, -1e-7, 1),
    (3, "high", Decimal("0.00"), None, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), LAST, None, 1e300, 2**63 - 1),
    *((10 + number, text, None, None, None, None, None, None, None) for number, text in enumerate(TEXTS)),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("spark") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """On a machine that is far from UTC, as a user's may be."""
    jars = sorted(load_settings().cache.glob("jars/spark/*snowflake*.jar"))
    if not jars:
        pytest.skip("the jar set spark is not installed: run concord up")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", "America/New_York")
        session = spark_session("snowflake-connector", "local[1]", driver_memory="1g", jars=jars)
        yield session
        end_session(session)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return frame_of(spark, COLUMNS, ROWS)


def _write(server: Server, rows: DataFrame, table: str, mode: str) -> None:
    options = server.client().spark_options()
    rows.write.format(CONNECTOR).options(**options).option("dbtable", table).mode(mode).save()


def _read(server: Server, spark: SparkSession, **what: str) -> DataFrame:
    return spark.read.format(CONNECTOR).options(**server.client().spark_options()).options(**what).load()


def _from_driver(server: Server, table: str) -> list[tuple[Any, ...]]:
    with server.client() as client:
        return client.query(f"select * from RAW.{table} order by id, _offset")


@pytest.mark.parametrize("times", [1, 2])
def test_overwritten_table_holds_exactly_the_rows(server: Server, rows: DataFrame, times: int) -> None:
    for _ in range(times):
        _write(server, rows, "OVERWRITTEN", "overwrite")
    assert _from_driver(server, "OVERWRITTEN") == list(ROWS)


def test_appended_rows_fit_a_table_that_was_made_before(server: Server, rows: DataFrame) -> None:
    with server.client() as client:
        client.execute(
            "create table RAW.appended (id number(38,0) not null, text string, price number(10,2), total number(38,2), "
            "happened timestamp_ntz, day date, flag boolean, ratio float, _offset number(38,0))"
        )
    _write(server, rows, "APPENDED", "append")
    _write(server, rows.filter("id = 1"), "APPENDED", "append")
    assert _from_driver(server, "APPENDED") == sorted([*ROWS, ROWS[0]], key=lambda row: int(row[0]))


def test_row_that_does_not_fit_loads_nothing(server: Server, spark: SparkSession) -> None:
    with server.client() as client:
        client.execute("create table RAW.narrow (id number(38,0) not null, price number(4,2))")
    wrong = spark.createDataFrame([(1, Decimal("1.00")), (2, Decimal("12345.00"))], "id long, price decimal(10,2)")
    with pytest.raises(Exception, match="12345"):
        _write(server, wrong, "NARROW", "append")
    with server.client() as client:
        assert client.query("select count(*) from RAW.narrow") == [(0,)]


def test_rows_read_are_the_rows_written(server: Server, spark: SparkSession, rows: DataFrame) -> None:
    _write(server, rows, "READ", "overwrite")
    read = _read(server, spark, dbtable="READ")
    assert [field.dataType.simpleString() for field in read.schema] == [
        "bigint", "string", "decimal(10,2)", "decimal(38,2)", "timestamp", "date", "boolean", "double", "bigint",
    ]  # fmt: skip
    assert sorted(map(tuple, read.collect())) == sorted(map(tuple, rows.collect()))


def test_query_is_answered_with_exact_sums_and_nulls(server: Server, spark: SparkSession, rows: DataFrame) -> None:
    _write(server, rows, "SUMMED", "overwrite")
    query = (
        "select count(*) as n, sum(price) as p, max(happened) as none from SUMMED where id in (1, 3) and price > 1000"
    )
    assert [tuple(row) for row in _read(server, spark, query=query).collect()] == [(0, None, None)]
    exact = _read(server, spark, query="select sum(price) as p from SUMMED where id < 3").collect()
    assert exact[0]["P"] == Decimal("-99999987.49")


def test_write_leaves_no_file_behind(server: Server, rows: DataFrame) -> None:
    before = _stage_files(server)
    _write(server, rows, "STAGED", "overwrite")
    assert _stage_files(server) == before


def _stage_files(server: Server) -> set[Path]:
    return {path for path in (server.folder / "stages").rglob("*") if path.is_file()}
