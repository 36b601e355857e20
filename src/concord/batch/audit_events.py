"""What became of the clickstream's records, per partition. Rows are conserved: in = stored + dead + duplicate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from concord.batch.range import Range
from concord.contracts.derived import DEAD_LETTERS, EVENT_AUDIT
from concord.contracts.events import EVENTS
from concord.errors import Disagreement
from concord.gateways.snowflake import Snowflake

Counts = Mapping[int, int]
"""Records by partition."""

AUDIT = f"RAW.{EVENT_AUDIT.name}"


@dataclass(frozen=True)
class Landed:
    """One range of the landing, as Spark counted it: ``duplicate`` are copies whose original is stored elsewhere."""

    range: Range
    snapshot: int | None
    records_in: Counts
    duplicate: Counts
    loaded_at: datetime

    @property
    def total(self) -> int:
        return sum(self.records_in.values())

    @property
    def copies(self) -> int:
        return sum(self.duplicate.values())


@dataclass(frozen=True)
class Fates:
    """One partition's share of a batch."""

    partition: int
    upto: int
    records_in: int
    stored: int
    dead: int
    duplicate: int

    def check(self) -> None:
        """Raises :class:`Disagreement` if a record has got lost, or is counted twice."""
        if self.records_in != self.stored + self.dead + self.duplicate:
            raise Disagreement(
                f"events of partition {self.partition}: {self.records_in:,} records in the lake, but {self.stored:,} "
                f"stored + {self.dead:,} dead + {self.duplicate:,} duplicate in RAW",
                "nothing was loaded; run the batch again",
            )


def audit_events(warehouse: Snowflake, landed: Landed, batch_id: str, is_whole: bool) -> None:
    """One row per partition of a whole batch, unless it is there. What is stored and dead is counted in RAW itself.

    Raises :class:`Disagreement` if the records do not add up.
    """
    there = {int(row[0]) for row in warehouse.query(f"select _partition from {AUDIT} where batch_id = %s", (batch_id,))}
    for fates in _fates(warehouse, landed):
        fates.check()
        if is_whole and fates.partition not in there:
            _insert(warehouse, landed, fates, batch_id)


def _fates(warehouse: Snowflake, landed: Landed) -> list[Fates]:
    stored, dead = (_held(warehouse, name, landed.range) for name in (EVENTS.name, DEAD_LETTERS.name))
    return [
        Fates(
            bound.partition,
            bound.upto,
            *(counts.get(bound.partition, 0) for counts in (landed.records_in, stored, dead, landed.duplicate)),
        )
        for bound in landed.range.bounds
    ]


def _held(warehouse: Snowflake, table: str, wanted: Range) -> Counts:
    rows = warehouse.query(f"select _partition, count(*) from RAW.{table} where {wanted.in_raw()} group by _partition")
    return {int(partition): int(count) for partition, count in rows}


def _insert(warehouse: Snowflake, landed: Landed, fates: Fates, batch_id: str) -> None:
    warehouse.execute(
        f"insert into {AUDIT} ({', '.join(EVENT_AUDIT.names)}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            batch_id,
            landed.range.topic,
            fates.partition,
            fates.upto,
            fates.records_in,
            fates.stored,
            fates.dead,
            fates.duplicate,
            str(landed.snapshot),
            landed.loaded_at.astimezone(UTC).replace(tzinfo=None),
        ),
    )
