"""Parsed changes become rows of their table's change log, or dead letters."""

from typing import Any

import pyarrow as pa

from concord.contracts.model import Dataset
from concord.contracts.tables import ORDERS, TABLES, USERS, as_change
from concord.dialects.arrow import arrow_schema
from concord.speed.change_logs import BAD_CHANGE_RECORD, faulty, rows_of
from concord.speed.changes import FAULT, IS_TOMBSTONE
from concord.speed.records import BATCH_AT, ORIGINAL, POSITION
from tests.factories import EPOCH, change_row


def _fields(table: Dataset) -> list[pa.Field]:
    return [field.with_nullable(True) for field in arrow_schema(as_change(table)) if field.name not in POSITION]


SCHEMA = pa.schema(
    [
        pa.field(ORIGINAL, pa.binary()),
        pa.field(IS_TOMBSTONE, pa.bool_()),
        pa.field(FAULT, pa.string()),
        *(pa.field(table.name, pa.struct(_fields(table))) for table in TABLES.values()),
        *(arrow_schema(as_change(USERS)).field(name) for name in POSITION),
        pa.field(BATCH_AT, pa.timestamp("us", "UTC")),
    ]
)


def parsed(table: Dataset, row: dict[str, Any], fault: str | None = None) -> dict[str, Any]:
    place = {name: row[name] for name in POSITION}
    change = {name: value for name, value in row.items() if name not in POSITION}
    original = b"as it came" if fault is not None else None
    return {FAULT: fault, ORIGINAL: original, IS_TOMBSTONE: False, table.name: change, **place, BATCH_AT: EPOCH}


def records(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def test_each_table_gets_its_own_rows_whole() -> None:
    order, user = change_row(ORDERS, "u", seed=3, offset=8), change_row(USERS, "d", seed=4, offset=9)
    both = records(parsed(ORDERS, order), parsed(USERS, user))

    assert rows_of(ORDERS, both).to_pylist() == [order]
    assert rows_of(USERS, both).to_pylist() == [user]
    assert rows_of(TABLES["products"], both).num_rows == 0


def test_columns_stand_in_the_declared_order() -> None:
    change = records(parsed(ORDERS, change_row(ORDERS)))

    assert tuple(rows_of(ORDERS, change).column_names) == as_change(ORDERS).names


def test_a_faulty_change_is_a_dead_letter_and_no_row() -> None:
    change = records(parsed(ORDERS, change_row(ORDERS, offset=5), fault="/total_amount"))

    letter = faulty(change).to_pylist()[0]

    assert rows_of(ORDERS, change).num_rows == 0
    assert (letter["reason"], letter["pointer"], letter["_offset"]) == (BAD_CHANGE_RECORD, "/total_amount", 5)
    assert letter["original"] == b"as it came"
