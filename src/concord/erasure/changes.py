"""Change records as the bytes that came: the person's are overwritten column by column, and stay what they were.

A row stays a row, and a record that is unfit stays unfit for the same reason: only texts become other texts.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDERS, TABLES, as_change
from concord.erasure.letters import masked, without
from concord.erasure.owners import OWNER_OF
from concord.erasure.person import Person
from concord.erasure.records import whole
from concord.erasure.values import is_erased, personal, stand_in
from concord.landed.rows import document

OF_PERSONS = [TABLES[name] for name in OWNER_OF]
BY_LOG: Mapping[str, Dataset] = {as_change(table).name: table for table in OF_PERSONS}
BY_TOPIC: Mapping[str, Dataset] = {cdc_topic(table): table for table in OF_PERSONS}


def erased_change(original: bytes, table: Dataset, person: Person) -> bytes:
    """The record as it is to be; somebody else's, and one that is erased, as it is."""
    found = document(original)
    if found is None:
        names_them = person.text_pattern is not None and person.text_pattern.search(original) is not None
        return masked(original, person.words) if names_them else original
    if not is_theirs(found, table, person):
        return original
    erased = {**found, **dict(_stand_ins(found, table, person.user_id))}
    # As it came, to the byte, if nothing is to be changed.
    record = original if erased == found else json.dumps(erased, separators=(",", ":"), ensure_ascii=False).encode()
    return without(person.words, record)


def is_theirs(change: Mapping[str, Any], table: Dataset, person: Person) -> bool:
    """By whom the record names, or by an order that was theirs once: not every delete says whose row it was."""
    is_their_order = table is ORDERS and whole(change.get("id")) in person.orders
    return is_their_order or whole(change.get(OWNER_OF[table.name])) == person.user_id


def _stand_ins(change: Mapping[str, Any], table: Dataset, user: int) -> Iterator[tuple[str, str]]:
    for column in personal(table):
        if not is_erased(user, column, change.get(column.name)):
            yield column.name, stand_in(user, column)


def owners(log: str, landed: pa.Table) -> list[int | None]:
    """Whose each record is; None if it does not say."""
    column = OWNER_OF[BY_LOG[log].name]
    found = (document(value) for value in landed["value"].to_pylist())
    return [whole(change.get(column)) if change else None for change in found]
