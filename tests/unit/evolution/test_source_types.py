"""What is said of a type beforehand is what the judge then makes of its values."""

from decimal import Decimal
from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from concord.contracts import types
from concord.contracts.model import Column
from concord.contracts.tables import ORDERS
from concord.evolution.source_types import Fit, SourceType, alters, fit, source_type, spelled
from concord.rules.changes import UnfitChange, change_reader
from tests.factories import change_record, to_bytes

DECLARED = (
    types.BIGINT,
    types.INTEGER,
    types.TEXT,
    types.BOOLEAN,
    types.INSTANT,
    types.DATE,
    types.JSON,
    types.Decimal(10, 2),
    types.Decimal(18, 4),
)


def sent_as(sql: str) -> SourceType:
    return source_type(exp.DataType.build(sql, dialect="postgres"))


def in_digits(precision: int, scale: int) -> st.SearchStrategy[str]:
    largest = 10**precision - 1
    return st.integers(-largest, largest).map(lambda units: f"{Decimal(units).scaleb(-scale):f}")


def of_integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


days = st.dates().filter(lambda day: 1900 <= day.year <= 2299)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "smallint": of_integers(16),
    "int": of_integers(32),
    "bigint": of_integers(64),
    "numeric(6, 1)": in_digits(6, 1),
    "numeric(10, 2)": in_digits(10, 2),
    "numeric(12, 2)": in_digits(12, 2),
    "numeric(10, 4)": in_digits(10, 4),
    "numeric(8)": in_digits(8, 0),
    "numeric": in_digits(30, 15),
    "text": st.text(max_size=20),
    "varchar(5)": st.text(max_size=5),
    "boolean": st.booleans(),
    "date": days.map(lambda day: f"{day.isoformat()}Z"),
    "timestamptz": days.map(lambda day: f"{day.isoformat()}T12:00:00.123456Z"),
    "timestamp": days.map(lambda day: f"{day.isoformat()}T12:00:00.123456Z"),
}
"""Of a type of PostgreSQL what Debezium sends."""


def is_row(declared: types.LogicalType, value: Any) -> bool:
    table = ORDERS.extended(ORDERS.name, Column("asked", declared))
    try:
        change_reader(table)(to_bytes(change_record(ORDERS) | {"asked": value}))
    except UnfitChange:
        return False
    return True


@given(st.data(), st.sampled_from(sorted(VALUES)), st.sampled_from(DECLARED))
def test_what_always_fits_is_a_row_and_what_never_does_is_none(
    data: st.DataObject, sql: str, declared: types.LogicalType
) -> None:
    degree, _ = fit(sent_as(sql), declared)
    found = is_row(declared, data.draw(VALUES[sql]))
    assert degree is Fit.PARTLY or found == (degree is Fit.ALWAYS)


@pytest.mark.parametrize(
    ("sql", "declared", "value"),
    [
        ("bigint", types.INTEGER, 2**31),
        ("numeric(12, 2)", types.Decimal(10, 2), "123456789.00"),
        ("numeric(10, 4)", types.Decimal(10, 2), "1.2345"),
        ("numeric", types.Decimal(10, 2), "1.2345"),
        ("int", types.Decimal(10, 2), 2**31 - 1),
        ("double precision", types.Decimal(10, 2), 0.1234),
        ("text", types.DATE, "today"),
    ],
)
def test_what_fits_in_part_has_values_that_do_not(sql: str, declared: types.LogicalType, value: Any) -> None:
    degree, what = fit(sent_as(sql), declared)
    assert (degree, bool(what), is_row(declared, value)) == (Fit.PARTLY, True, False)


@pytest.mark.parametrize(
    ("sql", "declared", "expected"),
    [
        ("numeric(12, 2)", types.Decimal(10, 2), False),
        ("numeric(12, 1)", types.Decimal(10, 2), True),
        ("bigint", types.Decimal(10, 2), True),
        ("double precision", types.BIGINT, True),
        ("bigint", types.INTEGER, False),
        ("timestamptz(3)", types.INSTANT, False),
        ("timestamptz(0)", types.INSTANT, True),
        ("date", types.INSTANT, True),
        ("timestamp", types.INSTANT, True),
        ("char(9)", types.TEXT, True),
        ("varchar(9)", types.TEXT, False),
    ],
)
def test_postgresql_rounds_cuts_and_pads_without_a_word(sql: str, declared: types.LogicalType, expected: bool) -> None:
    assert alters(sent_as(sql), declared) is expected


def test_a_type_is_spelled_as_in_a_contract() -> None:
    spelling = [spelled(sent_as(sql).declared) for sql in ("numeric(12, 4)", "int8", "serial", "uuid", "bytea")]
    assert spelling == ["Decimal(12, 4)", "BIGINT", "INTEGER", "UUID", "TEXT"]


def test_a_serial_numbers_the_rows_that_are_there() -> None:
    assert [sent_as(sql).is_serial for sql in ("serial", "int")] == [True, False]


def test_the_parser_knows_the_types_by_the_names_that_are_used_here() -> None:
    column = sqlglot.parse_one("alter table t add c timestamp(3) with time zone", read="postgres").find(exp.DataType)
    assert column is not None
    assert source_type(column).declared == types.INSTANT
