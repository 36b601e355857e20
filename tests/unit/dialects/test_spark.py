"""Spark's schemas follow the contracts; no session is needed for that."""

import pytest
from pyspark.sql.types import LongType, StringType

from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.tables import CDC_METADATA, ORDERS, TABLES, as_change
from concord.dialects.spark import change_parse_schema, struct


def test_schema_keeps_order_and_nullability() -> None:
    schema = struct(EVENTS)
    assert schema.names == list(EVENTS.names)
    assert [field.nullable for field in schema.fields] == [column.nullable for column in EVENTS.columns]


def test_a_row_is_read_as_text_and_debeziums_times_as_numbers() -> None:
    schema = change_parse_schema(ORDERS)
    assert {name: schema[name].dataType for name in ("total_amount", "created_at", "__ts_ms", "id")} == {
        "total_amount": StringType(),
        "created_at": StringType(),
        "__ts_ms": LongType(),
        "id": StringType(),
    }


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_parsed_change_has_the_columns_of_the_change_log_but_the_position(table: Dataset) -> None:
    assert tuple(change_parse_schema(table).names) == (*table.names, *(column.name for column in CDC_METADATA))
    assert set(change_parse_schema(table).names) < set(as_change(table).names)
