"""What became of a micro-batch's records, per partition. Rows are conserved: in = stored + dead + duplicate + late."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from concord.speed.quality import KindCount

Partition = tuple[str, int]
"""Topic and number."""


COUNTS = ("records_in", "stored", "dead", "duplicate", "late")


@dataclass(frozen=True)
class Tally:
    """One partition's share of a micro-batch. ``first`` and ``last`` are offsets of records read."""

    topic: str
    partition: int
    first: int
    last: int
    records_in: int
    stored: int
    dead: int
    duplicate: int = 0
    late: int = 0
    bound_ms: int | None = None
    """The lateness bound after this micro-batch, in milliseconds since 1970; None where nothing is ever late."""

    def __post_init__(self) -> None:
        if self.records_in != self.stored + self.dead + self.duplicate + self.late:
            raise ValueError(f"rows are not conserved: {self}")

    def as_position(self, query: str, batch_id: int, written_at: datetime) -> dict[str, Any]:
        """The row of ``speed_position``."""
        return {
            "query": query,
            "batch_id": batch_id,
            "_topic": self.topic,
            "_partition": self.partition,
            "_offset": self.last,
            **{name: getattr(self, name) for name in COUNTS},
            "bound": self.bound_ms and datetime.fromtimestamp(self.bound_ms / 1000, UTC),
            "written_at": written_at,
        }


@dataclass(frozen=True)
class Done:
    """What an attempt at a micro-batch comes to: the counts, and figures that only the worker knows."""

    tallies: Sequence[Tally] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    kinds: Sequence[KindCount] = ()
    large: int = 0
    """Records that are counted, and wait for a task of their own."""


@dataclass(frozen=True)
class Fates:
    """The records of a micro-batch by what became of them. All have the position's columns.

    A ``tombstone``, a record without a value, is held but is no row: it counts nowhere.
    """

    records: pa.Table
    stored: Sequence[pa.Table]
    dead: pa.Table
    duplicate: pa.Table
    late: pa.Table | None = None
    tombstone: pa.Table | None = None
    bound: datetime | None = None

    def tallies(self) -> list[Tally]:
        """One per partition, in order."""
        stored, dead, duplicate = _counts(self.stored), _counts([self.dead]), _counts([self.duplicate])
        late, empty = _counts([self.late]), _counts([self.tombstone])
        bound_ms = round(self.bound.timestamp() * 1000) if self.bound else None
        return [
            Tally(
                topic=key[0],
                partition=key[1],
                first=first,
                last=last,
                records_in=count - empty.get(key, 0),
                stored=stored.get(key, 0),
                dead=dead.get(key, 0),
                duplicate=duplicate.get(key, 0),
                late=late.get(key, 0),
                bound_ms=bound_ms,
            )
            for key, (first, last, count) in sorted(_ranges(self.records).items())
        ]


def totals(tallies: Iterable[Tally]) -> dict[str, int]:
    """The counts over all partitions."""
    each = list(tallies)
    return {name: sum(getattr(tally, name) for tally in each) for name in COUNTS}


def offset_ranges(records: pa.Table) -> dict[Partition, tuple[int, int]]:
    """Per partition the first and the last offset of the micro-batch."""
    return {key: (first, last) for key, (first, last, _) in _ranges(records).items()}


def _ranges(records: pa.Table) -> dict[Partition, tuple[int, int, int]]:
    by_partition = records.group_by(["_topic", "_partition"])
    grouped = by_partition.aggregate([("_offset", "min"), ("_offset", "max"), ("_offset", "count")])
    return {
        (row["_topic"], row["_partition"]): (row["_offset_min"], row["_offset_max"], row["_offset_count"])
        for row in grouped.to_pylist()
    }


def _counts(tables: Iterable[pa.Table | None]) -> dict[Partition, int]:
    counts: dict[Partition, int] = {}
    for table in (table for table in tables if table is not None):
        for key, (_, _, count) in _ranges(table).items():
            counts[key] = counts.get(key, 0) + count
    return counts
