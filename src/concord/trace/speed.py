"""Hops of the speed layer: the micro-batch that took the record, and the row in ClickHouse."""

from collections.abc import Iterator

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.derived import DEAD_LETTERS, SPEED_POSITION
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY
from concord.contracts.tables import as_change
from concord.dialects.clickhouse import view_name
from concord.trace.hops import KAFKA, MICRO_BATCH, SPEED, SPEED_STATE, Hop, Version
from concord.trace.stores import Stores

AT = "_topic = {topic:String} and _partition = {partition:Int32}"
HERE = f"{AT} and _offset = {{offset:Int64}}"


def change_hops(stores: Stores, table: Dataset, key: int, version: Version) -> Iterator[Hop]:
    """Of one change of a table: its row in the change log, and what the current state shows."""
    yield (batch := _micro_batch(stores, CHANGES_QUERY, version))
    yield _stored(stores, (as_change(table).name,), batch, version, "its micro-batch has not stored it")
    rows = stores.speed.query(f"select _offset from {view_name(table)} where id = {{key:Int64}}", {"key": key})
    yield _state(view_name(table), [int(row[0]) for row in rows], version)


def _state(view: str, offsets: list[int], version: Version) -> Hop:
    if not offsets:
        return Hop(SPEED_STATE, False, where={"view": view}, note="its last change there is a delete, or none is there")
    note = "" if offsets[0] == version.place.offset else f"shows the change at offset {offsets[0]}"
    return Hop(SPEED_STATE, True, where={"view": view, "offset": offsets[0]}, note=note)


def event_hops(stores: Stores, version: Version) -> Iterator[Hop]:
    """Of one event: stored in time, kept as late, or dead."""
    yield (batch := _micro_batch(stores, EVENTS_QUERY, version))
    note = "a copy of an event that is stored, or older than events are kept here"
    yield _stored(stores, (EVENTS.name, LATE_EVENTS.name), batch, version, note)


def _stored(stores: Stores, tables: tuple[str, ...], batch: Hop, version: Version, why_not: str) -> Hop:
    """The row in the first table that has it; a dead letter where none has."""
    for table in tables:
        if rows := _rows(stores, table, version):
            return Hop(SPEED, True, batch.at, {"table": table, "rows": rows}, after=MICRO_BATCH)
    letters = stores.speed.query(f"select reason from {DEAD_LETTERS.name} where {HERE}", _place(version))
    if letters:
        where = {"table": DEAD_LETTERS.name, "rows": len(letters), "reason": letters[0][0]}
        return Hop(SPEED, True, batch.at, where, "it breaks its contract", MICRO_BATCH)
    return Hop(SPEED, False, note=why_not if batch.is_there else batch.note, after=MICRO_BATCH)


def _micro_batch(stores: Stores, query: str, version: Version) -> Hop:
    """The first micro-batch whose position holds the record; its row is written once its data are."""
    found = stores.speed.query(
        f"select batch_id, written_at from {SPEED_POSITION.name} where query = {{query:String}} and {AT} "
        "and _offset >= {offset:Int64} order by batch_id limit 1",
        {"query": query, **_place(version)},
    )
    if not found:
        return Hop(MICRO_BATCH, False, note="not read yet: see `concord status`", after=KAFKA)
    batch_id, written_at = found[0]
    return Hop(MICRO_BATCH, True, written_at, {"query": query, "batch_id": batch_id}, after=KAFKA)


def _rows(stores: Stores, table: str, version: Version) -> int:
    return int(stores.speed.query(f"select count() from {table} where {HERE}", _place(version))[0][0])


def _place(version: Version) -> dict[str, object]:
    place = version.place
    return {"topic": place.topic, "partition": place.partition, "offset": place.offset}
