"""Change records become typed rows, exact to the cent and the millisecond, or a named fault."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row

from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS
from concord.speed.changes import FAULT, IS_TOMBSTONE, parsed
from concord.speed.records import ORIGINAL
from tests.factories import change_record, to_bytes, value
from tests.spark.conftest import FromKafka

pytestmark = pytest.mark.spark


def rows(from_kafka: FromKafka, *changes: tuple[Dataset, bytes | None]) -> list[Row]:
    return parsed(from_kafka([(cdc_topic(table), record) for table, record in changes])).orderBy("_offset").collect()


def one(from_kafka: FromKafka, table: Dataset, **named: Any) -> Row:
    return rows(from_kafka, (table, to_bytes(change_record(table, **named))))[0]


@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_a_change_of_every_table_arrives_typed(from_kafka: FromKafka, op: str) -> None:
    found = rows(from_kafka, *((table, to_bytes(change_record(table, op, seed=7))) for table in TABLES.values()))

    for row, table in zip(found, TABLES.values(), strict=True):
        change = row[table.name]
        assert row[FAULT] is None
        assert change["__op"] == op
        for column in table.columns:
            seen = change[column.name]
            assert (seen.astimezone(UTC) if isinstance(seen, datetime) else seen) == value(column, 7)


def test_only_the_records_own_table_is_filled(from_kafka: FromKafka) -> None:
    row = one(from_kafka, USERS)

    assert [name for name in TABLES if row[name] is not None] == ["users"]


def test_a_delete_keeps_its_key_and_nothing_that_debezium_filled_in(from_kafka: FromKafka) -> None:
    change = one(from_kafka, ORDERS, op="d", seed=9)["orders"]

    assert (change["id"], change["__op"]) == (9, "d")
    assert all(change[name] is None for name in ORDERS.names if name != "id")


def test_decimals_are_exact_and_instants_keep_their_milliseconds(from_kafka: FromKafka) -> None:
    change = one(from_kafka, ORDERS, total_amount="99999999.99", updated_at="2011-12-09T12:50:00.007Z")["orders"]

    assert change["total_amount"] == Decimal("99999999.99")
    assert change["updated_at"].astimezone(UTC) == datetime(2011, 12, 9, 12, 50, 0, 7000, tzinfo=UTC)


def test_nulls_and_placeholders_pass_as_they_came(from_kafka: FromKafka) -> None:
    order = one(from_kafka, ORDERS, op="u", user_id=None, shipping_address=TOAST_PLACEHOLDER)
    product = one(from_kafka, PRODUCTS, cost=None, description=None)

    assert (order[FAULT], order["orders"]["user_id"]) == (None, None)
    assert order["orders"]["shipping_address"] == TOAST_PLACEHOLDER
    assert (product[FAULT], product["products"]["cost"]) == (None, None)


@pytest.mark.parametrize(
    ("named", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"total_amount": None}, "/total_amount"),
        ({"total_amount": "NaN"}, "/total_amount"),
        ({"total_amount": "123456789.00"}, "/total_amount"),
        ({"updated_at": "yesterday"}, "/updated_at"),
        ({"updated_at": "4000-01-01T00:00:00Z"}, "/updated_at"),
        ({"op": "x"}, "/__op"),
        ({"user_id": "seven"}, ""),
    ],
)
def test_a_value_that_would_be_lost_is_a_fault(from_kafka: FromKafka, named: dict[str, Any], pointer: str) -> None:
    row = one(from_kafka, ORDERS, **named)

    assert row[FAULT] == pointer
    assert row[ORIGINAL] == to_bytes(change_record(ORDERS, **named))


@pytest.mark.parametrize("record", [b"", b"no json", b"[1]", b"\xff", b'{"id": 1'])
def test_what_is_no_object_is_a_fault(from_kafka: FromKafka, record: bytes) -> None:
    assert rows(from_kafka, (USERS, record))[0][FAULT] is not None


def test_a_record_without_a_value_is_a_tombstone_and_no_fault(from_kafka: FromKafka) -> None:
    row = rows(from_kafka, (USERS, None))[0]

    assert row[IS_TOMBSTONE]
    assert row[FAULT] is None
