"""What a gap in change capture has left behind, set right by way of the log, so that every layer learns it alike.

A slot that was lost or a publication that was altered lets changes pass unseen; not even a new snapshot tells of a row
that was deleted meanwhile. Rows that a layer lacks, or holds other than the source does, are touched in PostgreSQL, so
that they are captured again. Of rows that the source has no more, the delete that was never captured is written to the
change topic, where Debezium would have put it. Nothing is written into a layer past the log: positions stay the clock,
and a rebuild from the log comes to the same rows.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import CDC_METADATA, TABLES, as_change
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka, NewRecord
from concord.gateways.postgres import Postgres, Session, until_free
from concord.gateways.snowflake import Snowflake
from concord.reconcile.compare import Comparison, Kind
from concord.reconcile.run import SOURCE

IDENTITY = "concord-recon-repair"
PATIENCE = 60.0


@dataclass(frozen=True)
class Gap:
    """Keys of one table: ``gone`` from the source and still in a layer, ``stale`` where a layer lacks or differs."""

    table: Dataset
    gone: tuple[int, ...]
    stale: tuple[int, ...]


@dataclass(frozen=True)
class Repaired:
    """Of one table: deletes written to its topic, rows touched in PostgreSQL."""

    table: str
    deletes_written: int
    rows_touched: int


def gaps(found: Iterable[Comparison]) -> list[Gap]:
    """Every row that a layer holds otherwise than the source, as a reconciliation at a fence has found it."""
    found = list(found)
    every = (
        _gap(table, [each for each in found if (each.dataset, each.left) == (table.name, SOURCE)])
        for table in TABLES.values()
    )
    return [gap for gap in every if gap.gone or gap.stale]


def _gap(table: Dataset, found: Sequence[Comparison]) -> Gap:
    differences = [difference for each in found for difference in each.differences]
    gone = {int(each.key[0]) for each in differences if each.kind is Kind.EXTRA}
    stale = {int(each.key[0]) for each in differences if each.kind is not Kind.EXTRA}
    return Gap(table, tuple(sorted(gone)), tuple(sorted(stale - gone)))


@dataclass(frozen=True)
class Repair:
    """Sends what the layers have missed. ``speed`` and ``warehouse`` say to which partition a key belongs."""

    postgres: Postgres
    kafka: Kafka
    speed: ClickHouse
    warehouse: Snowflake

    def run(self, gap: Gap, now: datetime) -> Repaired:
        """Done again it writes the same deletes again, which change nothing.

        Raises :class:`Unavailable` if the table is not to be had for an instant, or Kafka takes nothing.
        """
        partitions = self._partitions(gap)
        sender = self.kafka.sender(IDENTITY)
        sender.open()
        for attempt in until_free(PATIENCE):
            # No writer is in flight while the deletes are written, or one could fall behind a row that comes back.
            with attempt, self.postgres.connect() as session, session.locked(gap.table.name):
                there = _there(session, gap)
                touched = _touch(session, gap.table, sorted({*gap.stale} & there))
                records = list(_deletes(gap, there, partitions, now, _log_position(session)))
                if records:
                    sender.send(records)
        return Repaired(gap.table.name, len(records), touched)

    def _partitions(self, gap: Gap) -> dict[int, int]:
        """A key never changes partition: where its last change lies, the delete belongs."""
        keys = ", ".join(map(str, gap.gone))
        if not keys:
            return {}
        last = f"select id, max(_partition) from {{}} where id in ({keys}) group by id"
        rows = [
            *self.warehouse.query(last.format(f"RAW.{gap.table.name}")),
            *self.speed.query(last.format(as_change(gap.table).name)),
        ]
        return {int(key): int(partition) for key, partition in rows}


def _there(session: Session, gap: Gap) -> set[int]:
    keys = [*gap.gone, *gap.stale]
    return {int(key) for (key,) in session.query(f"select id from {gap.table.name} where id = any(%s)", (keys,))}


def _touch(session: Session, table: Dataset, keys: Sequence[int]) -> int:
    """Rows become what they are: enough to be captured."""
    if not keys:
        return 0
    column = next(name for name in table.names if name not in table.key)
    return session.execute(f"update {table.name} set {column} = {column} where id = any(%s)", (list(keys),))


def _log_position(session: Session) -> int:
    [(position,)] = session.query("select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint")
    return int(position)


def _deletes(
    gap: Gap, there: set[int], partitions: dict[int, int], now: datetime, log_position: int
) -> Iterator[NewRecord]:
    """As Debezium writes them: the key, and nothing of what the row was."""
    ms = int(now.timestamp() * 1000)
    stamps = {"__op": "d", "__source_lsn": log_position, "__source_ts_ms": ms, "__ts_ms": ms}
    assert {*stamps} == {column.name for column in CDC_METADATA}
    for key in gap.gone:
        if key in there:
            continue
        if key not in partitions:
            raise Unavailable(
                f"{gap.table.name} {key}: no layer's log says to which partition it belongs", "repair again"
            )
        row: dict[str, Any] = dict.fromkeys(gap.table.names)
        value = _compact({**row, "id": key, **stamps, "__deleted": "true"})
        yield NewRecord(cdc_topic(gap.table), _compact({"id": key}), value.encode(), partition=partitions[key])


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
