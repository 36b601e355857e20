"""Counts per partition: rows are conserved, and a position is the last record held."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from concord.contracts.derived import SPEED_POSITION
from concord.speed.tally import Fates, Tally, offset_ranges, totals


def rows(*positions: tuple[str, int, int]) -> pa.Table:
    schema = pa.schema([("_topic", pa.string()), ("_partition", pa.int32()), ("_offset", pa.int64())])
    return pa.Table.from_pylist([dict(zip(schema.names, each, strict=True)) for each in positions], schema=schema)


NOTHING = rows()


def test_every_partition_of_the_batch_gets_its_own_counts() -> None:
    read = rows(("t", 0, 5), ("t", 0, 7), ("t", 1, 3))
    stored, dead = [rows(("t", 0, 5)), rows(("t", 1, 3))], rows(("t", 0, 7))

    tallies = Fates(read, stored, dead, NOTHING).tallies()

    assert tallies == [
        Tally("t", 0, first=5, last=7, records_in=2, stored=1, dead=1),
        Tally("t", 1, first=3, last=3, records_in=1, stored=1, dead=0),
    ]


def test_a_tombstone_is_held_but_counted_nowhere() -> None:
    tallies = Fates(
        rows(("t", 0, 1), ("t", 0, 2)), [rows(("t", 0, 1))], NOTHING, NOTHING, tombstone=rows(("t", 0, 2))
    ).tallies()

    assert tallies == [Tally("t", 0, first=1, last=2, records_in=1, stored=1, dead=0)]


def test_a_batch_of_tombstones_alone_moves_the_position() -> None:
    read = rows(("t", 0, 4))

    assert Fates(read, [NOTHING], NOTHING, NOTHING, tombstone=read).tallies() == [Tally("t", 0, 4, 4, 0, 0, 0)]


def test_a_record_without_a_fate_is_an_error() -> None:
    with pytest.raises(ValueError, match="not conserved"):
        Fates(rows(("t", 0, 1)), [], NOTHING, NOTHING).tallies()


def test_offset_ranges_tell_partitions_and_topics_apart() -> None:
    assert offset_ranges(rows(("a", 0, 9), ("a", 0, 2), ("b", 0, 1))) == {("a", 0): (2, 9), ("b", 0): (1, 1)}


def test_totals_add_over_partitions() -> None:
    tallies = [Tally("t", 0, 0, 1, 2, 1, 1), Tally("t", 1, 0, 0, 1, 0, 0, duplicate=1)]

    assert totals(tallies) == {"records_in": 3, "stored": 1, "dead": 1, "duplicate": 1, "late": 0}


def test_the_position_row_has_the_declared_columns_and_the_last_offset() -> None:
    row = Tally("t", 2, first=5, last=9, records_in=3, stored=3, dead=0).as_position(
        "speed.x", 7, datetime(2026, 1, 1, tzinfo=UTC)
    )

    assert set(row) == set(SPEED_POSITION.names)
    assert (row["_topic"], row["_partition"], row["_offset"], row["batch_id"]) == ("t", 2, 9, 7)
