"""Copies of an event are told from the original: the first of its id in Kafka's order, over all partitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.events import EVENTS
from concord.gateways.clickhouse import ClickHouse
from concord.speed.tally import Partition

RECENT = (
    "select toString(event_id) as event_id, _topic, _partition, _offset from recent_ids "
    "prewhere id_hash in (select cityHash64(toUUID(event_id)) from batch_ids) "
    "where event_id in (select toUUID(event_id) from batch_ids)"
)
"""Ids of this micro-batch that were stored lately, with the position they came from."""

AT_THAT_TIME = (
    "select toString(event_id) as event_id, _topic, _partition, _offset from {table} "
    "where (event_type, occurred_at, event_id) in "
    "(select event_type, fromUnixTimestamp64Milli(toInt64(occurred_at), 'UTC'), toUUID(event_id) from batch_ids)"
)
"""The same for late events, which may be older than what is remembered of ids: found by the tables' sort key."""


@dataclass(frozen=True)
class Originals:
    """Events of which no earlier copy is known, and the copies."""

    events: pa.Table
    copies: pa.Table


def originals(events: pa.Table, known: pa.Table, ranges: Mapping[Partition, tuple[int, int]]) -> Originals:
    """Of every ``event_id`` the first in Kafka's order, unless ``known`` has it from an earlier micro-batch.

    ``events`` are in Kafka's order. ``known`` (event_id and position) is what the store holds of these
    ids: what lies in this batch's own ``ranges`` was written by an attempt at it that was cut short.
    """
    earlier = pa.array(_earlier_ids(known, ranges), pa.string())
    is_first = pc.and_(_is_first(events), pc.invert(pc.is_in(events["event_id"], value_set=earlier)))
    return Originals(events.filter(is_first), events.filter(pc.invert(is_first)))


def known(store: ClickHouse, events: pa.Table, late: pa.Table) -> pa.Table:
    """What the store has of the ids of ``events``; ``late`` are those among them that came late."""
    recent = store.query_arrow(RECENT, given={"batch_ids": events.select(["event_id"])})
    if not late.num_rows:
        return recent
    given = {"batch_ids": _by_sort_key(late)}
    older = [store.query_arrow(AT_THAT_TIME.format(table=t), given=given) for t in (EVENTS.name, LATE_EVENTS.name)]
    return pa.concat_tables([recent, *(table.cast(recent.schema) for table in older)])


def _by_sort_key(events: pa.Table) -> pa.Table:
    times = pc.cast(pc.cast(events["occurred_at"], pa.timestamp("ms", "UTC")), pa.int64())
    columns = [events["event_type"], pc.cast(times, pa.string()), events["event_id"]]
    return pa.Table.from_arrays(columns, names=["event_type", "occurred_at", "event_id"])


def _is_first(events: pa.Table) -> Any:
    rows = pa.array(range(events.num_rows), pa.int64())
    numbered = events.select(["event_id"]).append_column("row", rows)
    firsts = numbered.group_by("event_id", use_threads=False).aggregate([("row", "min")])["row_min"]
    return pc.is_in(rows, value_set=firsts.combine_chunks())


def _earlier_ids(known: pa.Table, ranges: Mapping[Partition, tuple[int, int]]) -> Iterable[str]:
    return [row["event_id"] for row in known.to_pylist() if not _is_own(row, ranges)]


def _is_own(row: Mapping[str, Any], ranges: Mapping[Partition, tuple[int, int]]) -> bool:
    span = ranges.get((row["_topic"], row["_partition"]))
    return span is not None and row["_offset"] >= span[0]
