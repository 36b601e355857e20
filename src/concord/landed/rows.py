"""Landed change records as the rows that they are, for whoever looks at the lake without Spark."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.model import Dataset
from concord.contracts.tables import POSITION_COLUMNS, as_change, in_lake, lake_name
from concord.dialects.arrow import arrow_schema
from concord.rules.changes import UnfitChange, change_reader

POSITION = tuple(lake_name(column.name) for column in POSITION_COLUMNS)


def change_rows(table: Dataset, landed: pa.Table) -> pa.Table:
    """The rows of the table's change log, by their names in the lake, without the records that are set aside."""
    return pa.Table.from_pylist(list(_rows(table, landed)), schema=arrow_schema(in_lake(as_change(table))))


def _rows(table: Dataset, landed: pa.Table) -> Iterator[dict[str, Any]]:
    read = change_reader(table)
    for record in landed.filter(pc.is_valid(landed["value"])).to_pylist():
        try:
            row = read(record["value"])
        except UnfitChange:
            continue
        yield row | {name: record[name] for name in POSITION}


def document(record: bytes | None) -> Mapping[str, Any] | None:
    """What a record says, fit or not; None for what is no JSON object."""
    try:
        found = json.loads(record or b"null")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def mentioning(landed: pa.Table, number: int) -> pa.Table:
    """The records in which the number stands at all: a few out of many, before any is read."""
    return landed.filter(pc.match_substring(landed["value"], str(number)))
