"""Every version of a row that any store knows: a change may be in one layer and not yet in the other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.tables import as_change, as_landed, lake_name
from concord.landed.rows import document, mentioning
from concord.trace.hops import Place, Version, merged
from concord.trace.stores import Stores

PLACE = ("_partition", "_offset", "_timestamp")
LANDED = ("value", *map(lake_name, PLACE))
ORIGIN = ("__op", "__source_lsn", "__source_ts_ms", "__ts_ms")


def versions_of_row(stores: Stores, table: Dataset, key: int) -> Sequence[Version]:
    """Every change of the row, oldest first; a key never changes partition."""
    return merged([*_in_speed(stores, table, key), *_in_lake(stores, table, key), *_on_their_way(stores, table, key)])


def _in_speed(stores: Stores, table: Dataset, key: int) -> Iterator[Version]:
    query = f"select {', '.join((*PLACE, *ORIGIN))} from {as_change(table).name} where id = {{key:Int64}}"
    for row in stores.speed.query(query, {"key": key}):
        yield _version(cdc_topic(table), row)


def _in_lake(stores: Stores, table: Dataset, key: int) -> Iterator[Version]:
    landed = stores.lake.scan(as_landed(table).name, LANDED)
    for row in mentioning(landed, key).to_pylist():
        value = document(row["value"]) or {}
        if value.get("id") == key:
            place = Place(row[lake_name("_partition")], row[lake_name("_offset")], cdc_topic(table))
            yield _of_document(place, row["_timestamp"], value)


def _on_their_way(stores: Stores, table: Dataset, key: int) -> Iterator[Version]:
    """Among the records that no layer holds yet."""
    topic = cdc_topic(table)
    held = stores.speed.position().merge(stores.lake.position(as_change(table).name))
    for record in stores.kafka.read(topic, held.of_topic(topic)):
        if record.key and record.value and json.loads(record.key).get("id") == key:
            place = Place(record.partition, record.offset, record.topic)
            yield _of_document(place, record.timestamp, document(record.value) or {})


def _version(topic: str, row: Sequence[Any]) -> Version:
    partition, offset, received_at, *origin = row
    return Version(Place(int(partition), int(offset), topic), received_at, *origin)


def _of_document(place: Place, received_at: datetime, value: Mapping[str, Any]) -> Version:
    op, lsn, committed, captured = (value.get(name) for name in ORIGIN)
    return Version(place, received_at, op, lsn, _instant(committed), _instant(captured))


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def versions_of_event(stores: Stores, event_id: str) -> Sequence[Version]:
    """The event where it is stored, kept as late, or dead, and its records that the speed layer has not read.

    A copy is not stored, so its position is not known.
    """
    return merged(
        [*_events_in_speed(stores, event_id), *_events_in_lake(stores, event_id), *_events_unread(stores, event_id)]
    )


def _events_in_speed(stores: Stores, event_id: str) -> Iterator[Version]:
    """Dead letters have no columns of an event: the id is looked for in their bytes."""
    query, given = f"select {', '.join(PLACE)} from", {"id": event_id, "topic": EVENTS_TOPIC}
    for table in (EVENTS.name, LATE_EVENTS.name):
        for row in stores.speed.query(f"{query} {table} where event_id = {{id:UUID}}", given):
            yield _version(EVENTS_TOPIC, row)
    is_in_bytes = "_topic = {topic:String} and positionCaseInsensitive(original, {id:String}) > 0"
    for row in stores.speed.query(f"{query} {DEAD_LETTERS.name} where {is_in_bytes}", given):
        yield _version(EVENTS_TOPIC, row)


def _events_in_lake(stores: Stores, event_id: str) -> Iterator[Version]:
    columns = [lake_name(name) for name in PLACE]
    for row in stores.lake.scan(EVENTS.name, columns, f"event_id = '{event_id}'").to_pylist():
        yield _version(EVENTS_TOPIC, [row[name] for name in columns])


def _events_unread(stores: Stores, event_id: str) -> Iterator[Version]:
    for record in stores.kafka.read(EVENTS_TOPIC, stores.speed.position().of_topic(EVENTS_TOPIC)):
        if record.value and event_id.encode() in record.value.lower():
            yield Version(Place(record.partition, record.offset, EVENTS_TOPIC), record.timestamp)
