"""Rows as Arrow: which of them are the person's, and what they are to be."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.documents import DOCUMENTS
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.tables import TOAST_PLACEHOLDER
from concord.erasure.changes import erased_change
from concord.erasure.letters import erased_record
from concord.erasure.person import Person
from concord.erasure.values import CLICK_COLUMNS, DEVICE_ID, ERASED, erased_event, personal, stand_in

Change = Callable[[pa.Table], tuple[pa.Table, int]]
"""The rows as they are to be, and how many of them are other than they were."""


def profile(person: Person, table: Dataset, key: str, keys: Sequence[int]) -> Change:
    """Rows of users or orders."""

    def change(rows: pa.Table) -> tuple[pa.Table, int]:
        is_theirs = _is_in(rows, key, keys)
        changed: Any = pa.chunked_array([pa.array([False] * len(rows), pa.bool_())])
        for column in personal(table):
            wanted = stand_in(person.user_id, column)
            mask = pc.and_(is_theirs, pc.invert(_is_in(rows, column.name, [wanted, TOAST_PLACEHOLDER, None])))
            value = pa.scalar(wanted, rows.schema.field(column.name).type)
            rows = _with(rows, column.name, pc.if_else(mask, value, rows[column.name]))
            changed = pc.or_(changed, mask)
        return rows, int(pc.sum(changed).as_py() or 0)

    return change


def events(person: Person) -> Change:
    """Typed events, by user and by device."""

    def change(rows: pa.Table) -> tuple[pa.Table, int]:
        named = _is_in(rows, "user_id", [person.user_id])
        used = _is_in(rows, DEVICE_ID, sorted(person.devices))
        return _replaced(rows, pc.or_(named, used), CLICK_COLUMNS, lambda row: erased_event(row, person.salt))

    return change


def records(person: Person, column: str) -> Change:
    """Bytes as they came, in ``column``; ``_timestamp`` says when."""
    pattern = person.pattern

    def erased(row: dict[str, Any]) -> dict[str, Any]:
        return {column: erased_record(row[column], row["_timestamp"], person)}

    def change(rows: pa.Table) -> tuple[pa.Table, int]:
        found = [value is not None and pattern.search(value) is not None for value in rows[column].to_pylist()]
        return _replaced(rows, pa.array(found, pa.bool_()), (column,), erased)

    return change


def landed_changes(person: Person, table: Dataset) -> Change:
    """The table's change records as they came, in ``value``."""

    def change(rows: pa.Table) -> tuple[pa.Table, int]:
        there = pc.is_valid(rows["value"])
        return _replaced(rows, there, ("value",), lambda row: {"value": erased_change(row["value"], table, person)})

    return change


def documents(person: Person) -> Change:
    """Texts of documents about the person's orders."""

    def change(rows: pa.Table) -> tuple[pa.Table, int]:
        is_theirs = _is_in(rows, "sha256", sorted(person.documents))
        names = ("name", *(column.name for column in personal(DOCUMENTS)))
        erased = {name: None if DOCUMENTS[name].nullable else ERASED for name in names}
        return _replaced(rows, is_theirs, names, lambda _: erased)

    return change


def _replaced(
    rows: pa.Table, mask: Any, names: Sequence[str], erased: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[pa.Table, int]:
    """The rows under the mask with these columns as ``erased`` has them, the others untouched."""
    places = [place for place, is_theirs in enumerate(mask.to_pylist()) if is_theirs]
    were = rows.take(pa.array(places, pa.int64())).to_pylist()
    are = [erased(row) for row in were]
    differing = [
        (p, is_) for p, was, is_ in zip(places, were, are, strict=True) if any(was[n] != is_[n] for n in names)
    ]
    for name in names if differing else ():
        values = rows[name].to_pylist()
        for place, row in differing:
            values[place] = row[name]
        rows = _with(rows, name, pa.array(values, rows.schema.field(name).type))
    return rows, len(differing)


def _is_in(rows: pa.Table, name: str, values: Sequence[Any]) -> Any:
    return pc.is_in(rows[name], pa.array(values, rows.schema.field(name).type))


def _with(rows: pa.Table, name: str, values: Any) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(name), values.cast(rows.schema.field(name).type))


RECORDS = {EVENTS_LANDING.name: "value", DEAD_LETTERS.name: "original"}
"""Tables of the lake that hold records as they came."""
