"""The lake: files with the person's rows are replaced, all older snapshots forgotten, and what they needed deleted."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import pyarrow as pa

from concord.contracts.documents import DOCUMENTS
from concord.contracts.events import EVENTS
from concord.contracts.names import LAKE_NAMESPACE
from concord.contracts.tables import ORDERS, USERS
from concord.erasure import rows
from concord.erasure.changes import BY_LOG, owners
from concord.erasure.outcome import Done, Found
from concord.erasure.owners import owner_column
from concord.erasure.person import Person
from concord.erasure.rows import Change
from concord.erasure.values import DEVICE_ID
from concord.gateways.lake import Lake
from concord.gateways.lake.files import Stored
from concord.gateways.object_store import ObjectStore
from concord.gateways.object_store.bucket import Document, Kind

ORPHANS_KEPT = timedelta(hours=72)
"""What `concord lake clean-orphans` leaves alone, since a commit may be about to need it."""
CLICKS = (EVENTS.name, *rows.RECORDS)
"""Tables in which a device is a device; elsewhere an article or an order may be called alike."""
BOUND_LENGTH = 16
"""Characters of a text that Iceberg's metadata keep of a file's smallest and largest values."""


def erase(lake: Lake, person: Person, apply: bool, again: bool) -> Iterator[Done]:
    """Table by table. ``again``: an erasure was begun and not proven, so older snapshots may hold the person still."""
    for name, (change, row_filter) in changes(person).items():
        if lake.current_snapshot(name) is None:
            continue
        count = lake.rewrite(name, change, row_filter, apply)
        yield Done(f"lake {name}", "rows overwritten", count)
        older = len(lake.snapshots(name)) - 1
        if count or (again and older):
            snapshots = lake.forget_history(name)[0] if apply else older
            yield Done(f"lake {name}", "snapshots forgotten", snapshots)


def changes(person: Person) -> dict[str, tuple[Change, str | None]]:
    """Table → what is to be done to its rows, and what files they can be in."""
    users = rows.profile(person, USERS, "id", [person.user_id])
    found: dict[str, tuple[Change, str | None]] = {}
    found[USERS.name] = users, f"id = {person.user_id}"
    if person.orders:
        orders = rows.profile(person, ORDERS, "id", sorted(person.orders))
        found[ORDERS.name] = orders, f"id in ({', '.join(map(str, sorted(person.orders)))})"
    for log, table in BY_LOG.items():
        found[log] = rows.landed_changes(person, table), None
    found[EVENTS.name] = rows.events(person), _of_events(person)
    for name, column in rows.RECORDS.items():
        found[name] = rows.records(person, column), None
    if person.documents:
        found[DOCUMENTS.name] = rows.documents(person), None
    return found


def _of_events(person: Person) -> str:
    devices = ", ".join(_quoted(device) for device in sorted(person.devices))
    return f"user_id = {person.user_id}" + (f" or {DEVICE_ID} in ({devices})" if devices else "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def erase_objects(store: ObjectStore, person: Person, apply: bool) -> Iterator[Done]:
    """The bytes of documents about the person's orders, every version of them."""
    there = [path for path in map(document_path, sorted(person.documents)) if store.size(path) is not None]
    for path in there if apply else ():
        store.remove_every_version(path)
    yield Done("documents", "objects deleted", len(there))


def document_path(digest: str) -> str:
    """Where a document's bytes lie."""
    return f"{digest[:2]}/{digest}"


def scan(lake: Lake, person: Person) -> Iterator[Found]:
    """Every object of every table, whatever snapshot needs it, and rows by their classified columns."""
    for name, (change, row_filter) in changes(person).items():
        if lake.current_snapshot(name) is not None:
            yield Found(f"lake {name}", lake.rewrite(name, change, row_filter, apply=False))
    for name in lake.tables():
        devices = person.devices if name in CLICKS else frozenset()
        needed = lake.needed(name)
        for one, parts in lake.contents(name) if person.sought else ():
            if hits := sum(hits_in(name, part, person, devices) for part in parts):
                yield _left(name, one, hits, one.path in needed)


def scan_objects(store: ObjectStore, person: Person) -> Iterator[Found]:
    """The documents themselves."""
    yield Found("documents", sum(store.size(document_path(digest)) is not None for digest in person.documents))


def scan_versions(place: str, store: ObjectStore, rule: Document, now: datetime) -> Found:
    """Of what was replaced or deleted, by anybody: whose it was cannot be told without restoring it.

    ``rule`` is the declared lifecycle: its days count from when an object was replaced, at the latest now.
    """
    left = len(store.older_versions())
    if not left or not store.holds_setting(Kind.LIFECYCLE, rule):
        return Found(f"{place}, older versions of objects", left, "nothing deletes them: `concord lake bucket --apply`")
    days = max(
        each["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for each in rule["Rules"]
        if "NoncurrentVersionExpiration" in each
    )
    kept_by = f"the bucket's rule deletes a version {days} days after it was replaced"
    return Found(f"{place}, older versions of objects", left, kept_by, now + timedelta(days=days))


def _left(name: str, one: Stored, hits: int, is_needed: bool) -> Found:
    place = f"lake {LAKE_NAMESPACE}.{name}: {one.path.rpartition('/')[2]}"
    if is_needed:
        return Found(place, hits)
    until = one.modified_at + ORPHANS_KEPT
    return Found(
        place, hits, "no snapshot needs the object: `concord lake clean-orphans` deletes it from then on", until
    )


def hits_in(name: str, part: pa.Table | bytes, person: Person, devices: Collection[str]) -> int:
    """Of metadata the texts that it may know, of rows those that name the person and are nobody else's."""
    if isinstance(part, bytes):
        return sum(f"'{text[:BOUND_LENGTH]}'".encode() in part for text in (*person.words, *devices))
    values = zip(*(part[field.name].to_pylist() for field in part.schema if _is_text(field.type)), strict=True)
    return sum(
        user in (None, person.user_id) and any(_names(value, person, devices) for value in row)
        for user, row in zip(_owners(name, part), values, strict=False)
    )


def _owners(name: str, rows: pa.Table) -> list[int | None]:
    if name in BY_LOG and "value" in rows.column_names:
        return owners(name, rows)
    owner = owner_column(rows.column_names)
    return rows[owner].to_pylist() if owner else [None] * len(rows)


def _is_text(kind: pa.DataType) -> bool:
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(is_it(kind) for is_it in text)


def _names(value: str | bytes | None, person: Person, devices: Collection[str]) -> bool:
    """A device only as a whole, or in a record: one may begin like another."""
    if isinstance(value, str):
        return value in devices or bool(person.text_pattern and person.text_pattern.search(value.encode()))
    pattern = person.traces if devices else person.text_pattern
    return bool(value is not None and pattern and pattern.search(value))
