"""A micro-batch of changes goes to rest: one insert per table, faulty records as dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.model import Dataset
from concord.contracts.tables import TABLES, as_change
from concord.gateways.clickhouse import ClickHouse
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.speed.batch_token import BatchToken
from concord.speed.changes import FAULT, IS_TOMBSTONE
from concord.speed.dead_letters import dead_letters
from concord.speed.quality import dead_kinds
from concord.speed.records import BATCH_AT, IN_ORDER, ORIGINAL, POSITION
from concord.speed.tally import Done, Fates, offset_ranges


@dataclass(frozen=True)
class StoreChanges:
    """One attempt at one micro-batch. Runs in a Spark worker; every attempt leaves the same rows."""

    store: ClickHouse
    token: BatchToken

    def begin(self, records: pa.Table) -> tuple[pa.Table, None]:
        """Nothing: changes are few."""
        return records, None

    def finish(self, records: pa.Table, begun: Sequence[None]) -> Done:
        """All of the micro-batch to rest."""
        ranges = offset_ranges(records)
        ordered = records.sort_by(IN_ORDER)
        dead = faulty(ordered)
        self.store.insert_arrow(DEAD_LETTERS.name, dead, self.token.of(DEAD_LETTERS.name, ranges))
        stored = {as_change(table).name: rows_of(table, ordered) for table in TABLES.values()}
        for name, rows in stored.items():
            self.store.insert_arrow(name, rows, self.token.of(name, ranges))
        tombstones = ordered.filter(ordered[IS_TOMBSTONE])
        fates = Fates(records, list(stored.values()), dead, dead.slice(0, 0), tombstone=tombstones)
        return Done(fates.tallies(), kinds=dead_kinds(dead))


def rows_of(table: Dataset, records: pa.Table) -> pa.Table:
    """The faultless changes of one table, as rows of its change log."""
    is_row = pc.and_(pc.is_valid(records[table.name]), pc.is_null(records[FAULT]))
    own = records.filter(is_row)
    flat = own.select([table.name, *POSITION]).flatten()
    names = [name.removeprefix(f"{table.name}.") for name in flat.column_names]
    return flat.rename_columns(names).select(as_change(table).names)


def faulty(records: pa.Table) -> pa.Table:
    """The records with a fault, as dead letters."""
    own = records.filter(pc.is_valid(records[FAULT])).select([FAULT, ORIGINAL, *POSITION, BATCH_AT])
    return dead_letters([_dead_letter(row) for row in own.to_pylist()])


def _dead_letter(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "reason": BAD_CHANGE_RECORD,
        "pointer": row[FAULT],
        "detail": "is missing or not of its type" if row[FAULT] else "is no JSON row of its table",
        "original": row[ORIGINAL],
        "first_seen_at": row[BATCH_AT],
        **{name: row[name] for name in POSITION},
    }
