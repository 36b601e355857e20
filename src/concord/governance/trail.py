"""The audit trail in the warehouse: added to, read, never changed."""

from collections.abc import Sequence
from datetime import UTC, datetime

from concord.contracts.audit import AUDIT_SCHEMA, TRAIL, Ending
from concord.gateways.snowflake import Snowflake
from concord.governance.entry import Entry
from concord.governance.spool import Spool

TABLE = f"{AUDIT_SCHEMA}.{TRAIL.name}"
BATCH_RUN = "batch run"


def deliver(spool: Spool, warehouse: Snowflake) -> int:
    """Bring what waits on this machine into the trail; how many entries. What is there already is not added again."""
    return spool.deliver(lambda entries: _add(warehouse, entries))


def _add(warehouse: Snowflake, entries: Sequence[Entry]) -> None:
    oldest = min(entry.begun_at for entry in entries)
    names = ", ".join(TRAIL.names)
    with warehouse.transaction():
        held = {
            row[0] for row in warehouse.query(f"select entry_id from {TABLE} where begun_at >= %s", (_naive(oldest),))
        }
        records = [entry.record() for entry in entries if entry.entry_id not in held]
        marks = ", ".join(["%s"] * len(TRAIL.names))
        rows = [[record[name] for name in TRAIL.names] for record in records]
        warehouse.execute_many(f"insert into {TABLE} ({names}) values ({marks})", rows)


def entries(warehouse: Snowflake, since: datetime | None, limit: int) -> list[Entry]:
    """The newest, newest first."""
    where = "" if since is None else "where begun_at >= %s "
    rows = warehouse.records(
        f"select {', '.join(TRAIL.names)} from {TABLE} {where}order by begun_at desc, entry_id limit {limit}",
        None if since is None else (_naive(since),),
    )
    return [Entry.of_record(row) for row in rows]


def newest_batch(warehouse: Snowflake) -> Entry | None:
    """The newest batch that loaded rows and was published."""
    rows = warehouse.records(
        f"select {', '.join(TRAIL.names)} from {TABLE} where what = %s and rows_in > 0 and ending = %s "
        "order by begun_at desc limit 1",
        (BATCH_RUN, str(Ending.DONE)),
    )
    return Entry.of_record(rows[0]) if rows else None


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
