"""From a row's key, or an event's id, to the hops of each of its versions."""

from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.tables import as_change
from concord.trace.find import versions_of_event, versions_of_row
from concord.trace.hops import DEBEZIUM, KAFKA, Hop, Journey, Version
from concord.trace.lake import landed_hop, mirror_hop, verdict_hop
from concord.trace.origin import capture_hops, is_in_source, kafka_hop, source_hop
from concord.trace.speed import change_hops, event_hops
from concord.trace.stores import Stores
from concord.trace.warehouse import publication_hop, raw_change_hop, raw_event_hop, reader_hops


def follow_row(stores: Stores, table: Dataset, key: int, newest: int) -> list[Journey]:
    """The last ``newest`` versions of a row; none if no store knows it."""
    versions = versions_of_row(stores, table, key)
    if versions:
        return [_change(stores, table, key, version) for version in versions[-newest:]]
    return [_uncaptured(stores, table, key)] if is_in_source(stores, table, key) else []


def follow_event(stores: Stores, event_id: str) -> list[Journey]:
    """Every record of the event that a store tells of; none if no store knows it."""
    return [_event(stores, version) for version in versions_of_event(stores, event_id)]


def _change(stores: Stores, table: Dataset, key: int, version: Version) -> Journey:
    hops: tuple[Hop, ...] = (
        source_hop(stores, table, key),
        *capture_hops(version),
        kafka_hop(stores, version, DEBEZIUM),
        *change_hops(stores, table, key, version),
        landed_hop(stores, as_change(table).name, version),
        mirror_hop(stores, table, key, version),
        raw_change_hop(stores, table, version),
        publication_hop(stores, version),
        *reader_hops(stores, table, key, version),
    )
    return Journey(version, hops)


def _uncaptured(stores: Stores, table: Dataset, key: int) -> Journey:
    note = "no change of it has been captured yet: see the connector in `concord status`"
    return Journey(None, (source_hop(stores, table, key), Hop(KAFKA, False, note=note)))


def _event(stores: Stores, version: Version) -> Journey:
    hops: tuple[Hop, ...] = (
        kafka_hop(stores, version),
        *event_hops(stores, version),
        landed_hop(stores, EVENTS_LANDING.name, version),
        verdict_hop(stores, version),
        raw_event_hop(stores, version),
        publication_hop(stores, version),
    )
    return Journey(version, hops)
