"""Landed bytes become events or dead letters of the lake, each record in one place and once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from concord.batch.audit_events import Landed
from concord.batch.events import settle
from concord.batch.range import between
from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.errors import Disagreement
from concord.rules.quality import Accepted, judge
from tests.event_documents import records
from tests.factories import event, event_bytes, to_bytes
from tests.local_lake import RECEIVED, LocalLake

pytestmark = pytest.mark.spark

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def bring(lake: LocalLake, above: Position | None = None) -> Landed:
    """What one batch does with everything above a position."""
    snapshot = lake.current_snapshot(EVENTS_LANDING.name)
    upto = lake.position(EVENTS_LANDING.name, snapshot)
    return settle(lake.spark, between(EVENTS_TOPIC, above or Position(), upto), snapshot, NOW)


def at(lake: LocalLake, dataset: Any) -> list[tuple[int, int]]:
    return sorted((row["_kafka_partition"], row["_offset"]) for row in lake.table(dataset).collect())


def test_every_record_has_the_verdict_of_the_one_judge(lake: LocalLake) -> None:
    sent = list(records(seed=5, count=3000, received_at=RECEIVED))
    lake.land(*((offset % 4, offset, value) for offset, value in enumerate(sent)))
    landed = bring(lake)
    verdicts = [judge(value, RECEIVED) for value in sent]
    ids = {verdict.row()["event_id"] for verdict in verdicts if isinstance(verdict, Accepted)}
    valid = sum(isinstance(verdict, Accepted) for verdict in verdicts)
    assert {row["event_id"] for row in lake.table(EVENTS).collect()} == ids
    faults = [(number % 4, number) for number, verdict in enumerate(verdicts) if not isinstance(verdict, Accepted)]
    assert at(lake, DEAD_LETTERS) == sorted(faults)
    assert sum(landed.records_in.values()) == len(sent)
    assert sum(landed.duplicate.values()) == valid - len(ids)


def test_columns_are_the_contracts_and_text_is_kept_as_it_came(lake: LocalLake) -> None:
    document = event(seed=7, properties={"é": [1, {"a": "\n"}]}, occurred_at="2026-03-01T13:59:59.9999+02:00")
    lake.land((3, 9, to_bytes(document)), (3, 10, b"\xff"))
    bring(lake)
    (row,) = lake.table(EVENTS).collect()
    assert row["event_id"] == document["event_id"]
    assert row["occurred_at"].astimezone(UTC) == datetime(2026, 3, 1, 11, 59, 59, 999000, tzinfo=UTC)
    assert row["properties"] == '{"é":[1,{"a":"\\n"}]}'
    (letter,) = lake.table(DEAD_LETTERS).collect()
    assert (bytes(letter["original"]), letter["reason"], letter["pointer"]) == (b"\xff", "not_json", "")


def test_the_smallest_partition_and_offset_of_copies_is_stored(lake: LocalLake) -> None:
    copy = event_bytes(seed=1)
    lake.land((2, 1, copy), (0, 8, copy), (0, 5, copy), (1, 0, copy))
    landed = bring(lake)
    assert at(lake, EVENTS) == [(0, 5)]
    assert landed.duplicate == {0: 1, 1: 1, 2: 1}


def test_an_event_once_stored_stays_and_later_copies_are_counted(lake: LocalLake) -> None:
    lake.land((2, 1, event_bytes(seed=1)), (0, 0, event_bytes(seed=2)))
    first = bring(lake)
    lake.land((0, 1, event_bytes(seed=1)), (2, 2, event_bytes(seed=3)))
    held = Position.of((EVENTS_TOPIC, partition, upto) for partition, upto in ((0, 0), (2, 1)))
    second = bring(lake, above=held)
    assert at(lake, EVENTS) == [(0, 0), (2, 1), (2, 2)]
    assert (first.duplicate, second.duplicate, second.records_in) == ({}, {0: 1}, {0: 1, 2: 1})


def test_a_range_judged_again_appends_nothing(lake: LocalLake) -> None:
    lake.land((0, 0, event_bytes(seed=1)), (0, 1, b"{}"), (0, 2, event_bytes(seed=1)))
    first = bring(lake)
    before = [lake.current_snapshot(name) for name in (EVENTS.name, DEAD_LETTERS.name)]
    assert bring(lake) == first
    assert [lake.current_snapshot(name) for name in (EVENTS.name, DEAD_LETTERS.name)] == before


def test_a_batch_that_died_between_its_two_tables_is_completed(lake: LocalLake) -> None:
    lake.land((0, 0, event_bytes(seed=1)), (0, 1, b"{}"))
    whole = bring(lake)
    lake.spark.sql("delete from iceberg.ecommerce.events")
    assert bring(lake) == whole
    assert (at(lake, EVENTS), at(lake, DEAD_LETTERS)) == ([(0, 0)], [(0, 1)])


def test_a_record_that_the_landing_holds_twice_stops_the_batch(lake: LocalLake) -> None:
    lake.land((0, 0, event_bytes(seed=1)))
    lake.land((0, 0, event_bytes(seed=1)))
    with pytest.raises(Disagreement, match="events_landing holds 1 changes twice"):
        bring(lake)
    assert at(lake, EVENTS) == []
