"""Versions and the times between hops."""

from datetime import UTC, datetime, timedelta

from concord.trace.hops import Hop, Journey, Place, Version, merged

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def version(offset: int, partition: int = 0, op: str | None = None) -> Version:
    return Version(Place(partition, offset, "t"), NOON, op)


def test_a_version_that_two_stores_tell_of_is_one_and_they_come_in_kafkas_order() -> None:
    assert merged([version(9), version(3, op="c"), version(3, op="r"), version(9)]) == [version(3, op="c"), version(9)]


def test_a_hops_time_is_taken_from_the_hop_that_it_names() -> None:
    kafka, late = Hop("Kafka", True, NOON), Hop("RAW", True, NOON + timedelta(seconds=90.5), after="Kafka")
    journey = Journey(version(3), (kafka, Hop("lake", False, after="Kafka"), late))
    assert [journey.seconds(hop) for hop in journey.hops] == [None, None, 90.5]


def test_a_document_is_made_of_what_json_knows() -> None:
    journey = Journey(version(3, op="u"), (Hop("publication", True, NOON, {"as_of": NOON, "batch_id": "b"}),))
    assert journey.document() == {
        "topic": "t",
        "partition": 0,
        "offset": 3,
        "op": "u",
        "hops": [
            {
                "hop": "publication",
                "is_there": True,
                "at": "2026-03-01T12:00:00+00:00",
                "seconds": None,
                "after": None,
                "where": {"as_of": "2026-03-01T12:00:00+00:00", "batch_id": "b"},
                "note": "",
            }
        ],
    }
