"""Hops of the warehouse: RAW, the publication, STAGING and the marts' rows that a row is part of."""

import json
from collections.abc import Iterator

from concord.contracts.derived import PUBLICATIONS, RAW_DEAD_LETTERS, STAGING
from concord.contracts.events import RAW_EVENTS
from concord.contracts.marts import MARTS, stamp
from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.tables import as_raw
from concord.trace.hops import LAKE, MART, PUBLISHED, RAW, STAGED, Hop, Version
from concord.trace.parts import PARTS, SHOWN_KEYS, keys_of
from concord.trace.stores import Stores

HERE = "_topic = %s and _partition = %s and _offset = %s"


def raw_change_hop(stores: Stores, table: Dataset, version: Version) -> Hop:
    """The change as a batch has loaded it, or the dead letter."""
    return _raw(stores, (as_raw(table), RAW_DEAD_LETTERS), version, "no batch has loaded it yet: concord batch run")


def raw_event_hop(stores: Stores, version: Version) -> Hop:
    """The event as a batch has loaded it, or the dead letter."""
    note = "no batch has loaded it yet, or it is a copy of an event that is stored at another position"
    return _raw(stores, (RAW_EVENTS, RAW_DEAD_LETTERS), version, note)


def _raw(stores: Stores, datasets: tuple[Dataset, ...], version: Version, why_not: str) -> Hop:
    place = version.place
    for dataset in datasets:
        reason = ", reason" if "reason" in dataset.names else ""
        rows = stores.warehouse.records(
            f"select batch_id, loaded_at, file_name{reason} from RAW.{dataset.name} where {HERE}",
            (place.topic, place.partition, place.offset),
        )
        if rows:
            loaded_at = rows[0].pop("loaded_at")
            return Hop(RAW, True, loaded_at, {"table": f"RAW.{dataset.name}", "rows": len(rows), **rows[0]}, after=LAKE)
    return Hop(RAW, False, note=why_not, after=LAKE)


def publication_hop(stores: Stores, version: Version) -> Hop:
    """The first published batch that holds the record's position."""
    rows = stores.warehouse.query(
        f"select batch_id, position, as_of, published_at from RAW.{PUBLICATIONS.name} order by published_at, batch_id"
    )
    for batch_id, position, as_of, published_at in rows:
        if Position.from_json(json.loads(position))[version.place.of] >= version.place.offset:
            return Hop(PUBLISHED, True, published_at, {"batch_id": batch_id, "as_of": as_of}, after=RAW)
    return Hop(PUBLISHED, False, note="no published batch holds it", after=RAW)


def reader_hops(stores: Stores, table: Dataset, key: int, version: Version) -> Iterator[Hop]:
    """What readers see of the row at the newest publication."""
    newest = stores.warehouse.publication()
    if newest is None or newest.position[version.place.of] < version.place.offset:
        yield Hop(STAGED, False, note="no published batch holds it", after=PUBLISHED)
        return
    yield (staged := _staged(stores, table, key, version, newest.position))
    if staged.is_there:
        for mart in MARTS.values():
            if part := PARTS.get(mart.name, {}).get(table.name):
                yield _mart(stores, mart, part, key)


def _staged(stores: Stores, table: Dataset, key: int, version: Version, held: Position) -> Hop:
    dataset = STAGING[f"{table.name}_enhanced"]
    rows = stores.warehouse.query(f"select {stamp(dataset)} from STAGING.{dataset.name} where id = %s", (key,))
    where = {"table": f"STAGING.{dataset.name}", "rows": len(rows)}
    if not rows:
        return Hop(STAGED, False, where=where, note="its last published change is a delete", after=PUBLISHED)
    last = _last_published(stores, table, key, version, held)
    note = "" if last == version.place.offset else f"shows the change at offset {last}"
    return Hop(STAGED, True, where={**where, stamp(dataset): rows[0][0]}, note=note, after=PUBLISHED)


def _last_published(stores: Stores, table: Dataset, key: int, version: Version, held: Position) -> int:
    place = version.place
    rows = stores.warehouse.query(
        f"select max(_offset) from RAW.{table.name} where id = %s and _partition = %s and _offset <= %s",
        (key, place.partition, held[place.of]),
    )
    return int(rows[0][0])


def _mart(stores: Stores, mart: Dataset, part: str, key: int) -> Hop:
    rows = stores.warehouse.query(keys_of(mart, part), {"key": key})
    where = {"table": f"MARTS.{mart.name}", "rows": len(rows)}
    if not rows:
        return Hop(MART, False, where=where, note="no row of it counts this one", after=PUBLISHED)
    shown = ["/".join(map(str, row)) for row in rows[:SHOWN_KEYS]]
    return Hop(MART, True, where={**where, "key": ", ".join(shown)}, after=PUBLISHED)
