"""Hops before the layers part: PostgreSQL, Debezium, Kafka."""

from collections.abc import Iterator

from concord.contracts.model import Dataset
from concord.contracts.position import TopicPartition
from concord.trace.hops import COMMIT, DEBEZIUM, KAFKA, SOURCE, Hop, Version
from concord.trace.stores import Stores


def is_in_source(stores: Stores, table: Dataset, key: int) -> bool:
    return bool(stores.postgres.query(f"select 1 from {table.name} where id = %s", (key,)))


def source_hop(stores: Stores, table: Dataset, key: int) -> Hop:
    """The row as it is now, whatever this version of it is."""
    is_there = is_in_source(stores, table, key)
    return Hop(SOURCE, is_there, where={"table": table.name}, note="" if is_there else "deleted since")


def capture_hops(version: Version) -> Iterator[Hop]:
    """What the record itself tells of the transaction and of the connector."""
    yield Hop(COMMIT, True, version.committed_at, {"op": version.op, "lsn": _lsn(version.lsn)})
    yield Hop(DEBEZIUM, True, version.captured_at, after=COMMIT)


def kafka_hop(stores: Stores, version: Version, after: str | None = None) -> Hop:
    """The record, unless the topic's retention has taken it."""
    place = version.place
    first, _ = stores.kafka.kept([place.topic])[TopicPartition(place.topic, place.partition)]
    is_kept = place.offset >= first
    where = {"topic": place.topic, "partition": place.partition, "offset": place.offset}
    note = "" if is_kept else f"no longer kept: the partition begins at {first}"
    return Hop(KAFKA, is_kept, version.received_at, where, note, after)


def _lsn(position: int | None) -> str | None:
    """As PostgreSQL writes it."""
    return None if position is None else f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
