"""Results in the types that drivers read."""

from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from concord.standins.snowflake.failures import Refused
from concord.standins.snowflake.results import as_arrow, column_of


def _sent(values: list[Any], kind: pa.DataType, engine_type: str) -> pa.ChunkedArray:
    table = pa.table({"c": pa.array(values, kind)})
    stream = b64decode(as_arrow(table, [column_of("c", engine_type)]))
    return pa.ipc.open_stream(stream).read_all().column(0)


@pytest.mark.parametrize(
    ("engine_type", "expected"),
    [
        ("DECIMAL(10,2)", ("fixed", 10, 2)),
        ("HUGEINT", ("fixed", 38, 0)),
        ("TINYINT", ("fixed", 38, 0)),
        ("TIMESTAMP", ("timestamp_ntz", 0, 9)),
        ("JSON", ("variant", None, None)),
        ("ENUM('a', 'b')", ("text", None, None)),
    ],
)
def test_engine_type_has_its_snowflake_type(engine_type: str, expected: tuple[str, int | None, int | None]) -> None:
    column = column_of("c", engine_type)
    assert (column.type, column.precision, column.scale) == expected


def test_type_that_snowflake_lacks_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"column c: .*INTERVAL"):
        column_of("c", "INTERVAL")


def test_null_timestamp_is_null_as_a_whole_and_in_its_parts() -> None:
    sent = _sent([None, datetime(1970, 1, 1)], pa.timestamp("us"), "TIMESTAMP")  # noqa: DTZ001
    assert sent.to_pylist() == [None, {"epoch": 0, "fraction": 0}]
    assert sent.combine_chunks().flatten()[0].to_pylist() == [None, 0]


def test_fraction_of_a_second_before_1970_counts_upwards() -> None:
    moment = datetime(1969, 12, 31, 23, 59, 59, 500000)  # noqa: DTZ001
    assert _sent([moment], pa.timestamp("us"), "TIMESTAMP").to_pylist() == [{"epoch": -1, "fraction": 500_000_000}]


def test_zoned_timestamp_says_that_it_is_utc() -> None:
    sent = _sent([datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"), "TIMESTAMP WITH TIME ZONE")
    assert sent.to_pylist()[0]["timezone"] == 1440


def test_unsigned_number_beyond_64_bits_keeps_its_value() -> None:
    assert _sent([2**64 - 1], pa.uint64(), "UBIGINT").to_pylist() == [Decimal(2**64 - 1)]
