"""Change records become typed rows, exact to the cent and the millisecond, or a named fault."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row

from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS
from concord.rules.changes import UnfitChange, change_reader
from concord.speed.changes import FAULT, IS_TOMBSTONE, parsed
from concord.speed.records import ORIGINAL
from tests.bent_records import bent_records
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
        ({"total_amount": "12.345"}, "/total_amount"),
        ({"updated_at": "yesterday"}, "/updated_at"),
        ({"updated_at": "2024-06-01T00:00:00"}, "/updated_at"),
        ({"updated_at": "4000-01-01T00:00:00Z"}, "/updated_at"),
        ({"op": "x"}, "/__op"),
        ({"user_id": "seven"}, "/user_id"),
        ({"user_id": "7.0"}, "/user_id"),
        ({"user_id": 2**63}, "/user_id"),
        ({"__ts_ms": 2**62}, "/__ts_ms"),
    ],
)
def test_a_value_that_would_be_lost_is_a_fault(from_kafka: FromKafka, named: dict[str, Any], pointer: str) -> None:
    row = one(from_kafka, ORDERS, **named)

    assert row[FAULT] == pointer
    assert row[ORIGINAL] == to_bytes(change_record(ORDERS, **named))


@pytest.mark.parametrize("gone", ["shipping_address", "total_amount"])
def test_a_column_that_postgresql_no_longer_sends_is_a_fault_though_null_would_do(
    from_kafka: FromKafka, gone: str
) -> None:
    sent = {name: value for name, value in change_record(ORDERS).items() if name != gone}

    assert rows(from_kafka, (ORDERS, to_bytes({**sent, "renamed": "Ω"})))[0][FAULT] == f"/{gone}"


def test_what_the_contract_does_not_declare_is_passed_over_and_zeros_behind_a_decimal_do_no_harm(
    from_kafka: FromKafka,
) -> None:
    sent = change_record(ORDERS) | {"channel": "web", "total_amount": "12.5000"}
    row = rows(from_kafka, (ORDERS, to_bytes(sent)))[0]

    assert (row[FAULT], row["orders"]["total_amount"]) == (None, Decimal("12.50"))


@pytest.mark.parametrize("seed", range(3))
def test_both_layers_come_to_the_same_verdict_and_the_same_row(from_kafka: FromKafka, seed: int) -> None:
    records = [(table, record) for table in TABLES.values() for record in bent_records(table, seed, count=60)]

    for row, (table, record) in zip(rows(from_kafka, *records), records, strict=True):
        try:
            expected, is_fit = change_reader(table)(record), True
        except UnfitChange:
            expected, is_fit = {}, False
        assert (row[FAULT] is None) == is_fit, (table.name, record, row[FAULT])
        if is_fit:
            assert in_milliseconds(row[table.name].asDict()) == expected, record


def in_milliseconds(change: dict[str, Any]) -> dict[str, Any]:
    """As the stores keep instants, and in UTC."""
    return {name: _cut(each) if isinstance(each, datetime) else each for name, each in change.items()}


def _cut(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize("record", [b"", b"no json", b"[1]", b"\xff", b'{"id": 1'])
def test_what_is_no_object_is_a_fault(from_kafka: FromKafka, record: bytes) -> None:
    assert rows(from_kafka, (USERS, record))[0][FAULT] is not None


def test_a_record_without_a_value_is_a_tombstone_and_no_fault(from_kafka: FromKafka) -> None:
    row = rows(from_kafka, (USERS, None))[0]

    assert row[IS_TOMBSTONE]
    assert row[FAULT] is None
