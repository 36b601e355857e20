"""Hops of the lake: what a sink has landed, the mirror of a table, and what the batch made of a landed event."""

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.tables import lake_name
from concord.gateways.lake.locate import Located
from concord.trace.hops import KAFKA, LAKE, MIRROR, VERDICT, Hop, Version
from concord.trace.stores import Stores

OFFSET, PARTITION = lake_name("_offset"), lake_name("_partition")


def landed_hop(stores: Stores, table: str, version: Version) -> Hop:
    """The file that holds the record, and the snapshot that brought it."""
    found = stores.lake.locate(table, _here(version))
    if not found:
        return Hop(LAKE, False, where={"table": table}, note="its sink has not committed it yet", after=KAFKA)
    note = (
        "" if found[0].operation == "append" else "its file was rewritten since: by compaction, or a snapshot expired"
    )
    return Hop(LAKE, True, found[0].committed_at, _where(table, found), note, KAFKA)


def mirror_hop(stores: Stores, table: Dataset, key: int, version: Version) -> Hop:
    """The table's current state in the lake, as of the last batch."""
    rows = stores.lake.scan(table.name, (OFFSET,), f"id = {key}").to_pylist()
    if not rows:
        note = "no batch has brought it, or its last change is a delete"
        return Hop(MIRROR, False, where={"table": table.name}, note=note)
    found, offset = stores.lake.locate(table.name, f"id = {key}"), rows[0][OFFSET]
    note = "" if offset == version.place.offset else f"holds the change at offset {offset}"
    return Hop(MIRROR, True, found[0].committed_at, {**_where(table.name, found), "offset": offset}, note, LAKE)


def verdict_hop(stores: Stores, version: Version) -> Hop:
    """What the batch layer's judge has made of a landed event: an event, a dead letter, or a copy of another."""
    for table in (EVENTS.name, DEAD_LETTERS.name):
        if found := stores.lake.locate(table, _here(version)):
            return Hop(VERDICT, True, found[0].committed_at, _where(table, found), after=LAKE)
    note = "no batch has judged it yet, or it is a copy of an event that is stored at another position"
    return Hop(VERDICT, False, note=note, after=LAKE)


def _where(table: str, found: list[Located]) -> dict[str, object]:
    first = found[0]
    return {"table": table, "rows": sum(f.rows for f in found), "snapshot": first.snapshot_id, "file": first.file}


def _here(version: Version) -> str:
    return f"{PARTITION} = {version.place.partition} and {OFFSET} = {version.place.offset}"
