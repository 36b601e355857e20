"""A change record is a typed row, or a fault with a pointer and a reason; never something in between."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts import types
from concord.contracts.model import Column
from concord.contracts.tables import CDC_METADATA, ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER
from concord.rules.changes import UnfitChange, change_reader
from tests.bent_records import bent_records
from tests.factories import change_record, to_bytes, value


def read(table: Any = ORDERS, op: str = "c", **named: Any) -> dict[str, Any]:
    return change_reader(table)(to_bytes(change_record(table, op, **named)))


def fault(record: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(UnfitChange) as refused:
        change_reader(ORDERS)(to_bytes(record))
    return refused.value.pointer, refused.value.detail


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_change_of_every_table_is_typed_as_its_contract_says(table: Any) -> None:
    row = read(table, "u", seed=7)
    assert {name: row[name] for name in table.names} == {c.name: value(c, 7) for c in table.columns}
    assert {*row} == {*table.names, *(column.name for column in CDC_METADATA)}
    assert (row["__op"], row["__ts_ms"].tzinfo) == ("u", UTC)


def test_a_delete_keeps_its_key_alone_whatever_else_is_gone_or_bent() -> None:
    record = change_record(ORDERS, "d", seed=9) | {"total_amount": "abc"}
    del record["status"]
    row = change_reader(ORDERS)(to_bytes(record))
    assert [row[name] for name in ORDERS.names] == [9] + [None] * (len(ORDERS.names) - 1)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"total_amount": "12.5000"}, ("total_amount", Decimal("12.50"))),
        ({"total_amount": "-99999999.99"}, ("total_amount", Decimal("-99999999.99"))),
        ({"total_amount": 12}, ("total_amount", Decimal("12.00"))),
        ({"user_id": 2**63 - 1}, ("user_id", 2**63 - 1)),
        ({"shipping_address": TOAST_PLACEHOLDER}, ("shipping_address", TOAST_PLACEHOLDER)),
        ({"shipping_address": 5}, ("shipping_address", "5")),
        ({"shipping_address": 12345678.5}, ("shipping_address", "1.23456785E7")),
        ({"shipping_address": -0.0001}, ("shipping_address", "-1.0E-4")),
        ({"shipping_address": 1e22}, ("shipping_address", "1.0E22")),
        ({"shipping_address": 0.5}, ("shipping_address", "0.5")),
        ({"user_id": "7"}, ("user_id", 7)),
        ({"shipping_address": None}, ("shipping_address", None)),
        (
            {"updated_at": "2024-06-01T02:00:00.1239+02:00"},
            ("updated_at", datetime(2024, 6, 1, microsecond=123000, tzinfo=UTC)),
        ),
    ],
)
def test_what_fits_is_carried_exactly(named: dict[str, Any], expected: tuple[str, Any]) -> None:
    name, typed = expected
    assert read(**named)[name] == typed


@pytest.mark.parametrize(
    ("named", "pointer", "detail"),
    [
        ({"id": None}, "/id", "is null"),
        ({"total_amount": None}, "/total_amount", "is null"),
        ({"total_amount": "12.345"}, "/total_amount", "does not fit a decimal (10, 2)"),
        ({"total_amount": "1234567890.12"}, "/total_amount", "does not fit a decimal (10, 2)"),
        ({"total_amount": "NaN"}, "/total_amount", "does not fit a decimal (10, 2)"),
        ({"user_id": "seven"}, "/user_id", "is not an integer of 64 bits"),
        ({"user_id": True}, "/user_id", "is not an integer of 64 bits"),
        ({"updated_at": "2024-06-01T00:00:00"}, "/updated_at", "is not a time with a zone"),
        ({"updated_at": "2024-02-30T00:00:00Z"}, "/updated_at", "day is out of range for month"),
        ({"updated_at": "2300-01-01T00:00:00Z"}, "/updated_at", "is not between the years 1900 and 2299"),
        ({"op": "x"}, "/__op", "is none of c, u, d, r"),
        ({"__ts_ms": "now"}, "/__ts_ms", "is not between the years 1900 and 2299"),
        ({"__source_lsn": "7"}, "/__source_lsn", "is not an integer of 64 bits"),
        ({"__ts_ms": 2**62}, "/__ts_ms", "is not between the years 1900 and 2299"),
        ({"__ts_ms": -(10**13)}, "/__ts_ms", "is not between the years 1900 and 2299"),
        ({"__source_lsn": 2**63}, "/__source_lsn", "is not an integer of 64 bits"),
        ({"total_amount": 12345678.5}, "/total_amount", "does not fit a decimal (10, 2)"),
        ({"user_id": "7.0"}, "/user_id", "is not an integer of 64 bits"),
        ({"user_id": 7.0}, "/user_id", "is not an integer of 64 bits"),
    ],
)
def test_what_does_not_fit_is_named(named: dict[str, Any], pointer: str, detail: str) -> None:
    assert fault(change_record(ORDERS, **named)) == (pointer, detail)


def test_an_integer_is_never_wrapped() -> None:
    record = change_record(PRODUCTS) | {"stock_quantity": 3_000_000_000}
    with pytest.raises(UnfitChange, match="is not an integer of 32 bits"):
        change_reader(PRODUCTS)(to_bytes(record))


def test_a_column_that_is_gone_is_a_fault_even_where_null_would_do() -> None:
    record = change_record(ORDERS)
    record["ship_to"] = record.pop("shipping_address")
    assert fault(record) == ("/shipping_address", "is missing")


def test_a_column_that_may_be_absent_reads_as_null() -> None:
    channel = Column("channel", types.TEXT, nullable=True, may_be_absent=True)
    table = ORDERS.extended(ORDERS.name, channel)
    assert change_reader(table)(to_bytes(change_record(ORDERS)))["channel"] is None
    assert change_reader(table)(to_bytes(change_record(ORDERS) | {"channel": "web"}))["channel"] == "web"


def test_a_column_that_may_be_absent_must_be_nullable() -> None:
    with pytest.raises(ValueError, match="channel may be absent"):
        Column("channel", types.TEXT, may_be_absent=True)


def test_types_that_no_table_has_yet_are_read_too() -> None:
    others = (Column("paid", types.BOOLEAN), Column("due", types.DATE), Column("note", types.JSON))
    table = ORDERS.extended(ORDERS.name, *others)
    record = change_record(ORDERS) | {"paid": True, "due": "2026-01-31Z", "note": '{"a": 1}'}
    row = change_reader(table)(to_bytes(record))
    assert (row["paid"], row["due"], row["note"]) == (True, date(2026, 1, 31), '{"a": 1}')


@pytest.mark.parametrize("record", [b"", b"no json", b"[1]", b"\xff", b'{"id": 1', b'"text"', b"null"])
def test_what_is_no_object_is_a_fault_of_the_whole_record(record: bytes) -> None:
    with pytest.raises(UnfitChange) as refused:
        change_reader(ORDERS)(record)
    assert refused.value.pointer == ""


def pointer_or_row(table: Any, record: bytes) -> str | dict[str, Any]:
    try:
        return change_reader(table)(record)
    except UnfitChange as fault:
        return fault.pointer


@given(st.integers(0, 10_000), st.sampled_from(list(TABLES.values())))
def test_a_bent_record_is_a_whole_row_or_a_fault(seed: int, table: Any) -> None:
    (record,) = bent_records(table, seed, count=1)
    row = pointer_or_row(table, record)
    if isinstance(row, str):
        assert row.removeprefix("/") in ("", *table.names, *(column.name for column in CDC_METADATA))
        return
    sent = json.loads(record)
    needed = table.key if row["__op"] == "d" else table.names
    assert all(row[name] is not None for name in needed if not table[name].nullable)
    assert all(str(row[name]) == str(sent[name]) for name in needed if type(row[name]) is int)
