"""Rows of the lake into RAW: through the official connector into a table of the batch, then merged by position.

The merge inserts what RAW does not have yet and touches nothing else, and the audit rows are counted
from RAW itself in the same transaction; so a batch may be loaded any number of times, with its audit
rows or without them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from concord.batch.audit_events import Landed, audit_events
from concord.batch.feeds import CHANGE_FEEDS, Feed
from concord.batch.range import Range
from concord.contracts.derived import LOAD_AUDIT
from concord.contracts.tables import POSITION_KEY
from concord.errors import Disagreement
from concord.gateways.snowflake import Snowflake

CONNECTOR = "net.snowflake.spark.snowflake"
AUDIT = f"RAW.{LOAD_AUDIT.name}"


@dataclass(frozen=True)
class Staged:
    """One table's rows in the warehouse, not yet in RAW."""

    feed: Feed
    range: Range
    rows_read: int
    snapshot: int | None

    @property
    def relation(self) -> str:
        return f"RAW.{load_table(self.feed)}"


@dataclass(frozen=True)
class Loaded:
    """What came of one table: ``rows_inserted`` is what RAW did not have yet."""

    table: str
    rows_read: int
    rows_inserted: int


def load_table(feed: Feed) -> str:
    return f"LOAD_{feed.name}"


def stage(rows: DataFrame, feed: Feed, connector_options: Mapping[str, str]) -> None:
    """Write the rows into the batch's load table, in place of what was there."""
    (
        rows.write.format(CONNECTOR)
        .options(**connector_options)
        .option("dbtable", load_table(feed))
        .mode("overwrite")
        .save()
    )


def merge(
    warehouse: Snowflake, staged: Sequence[Staged], batch_id: str, landed: Landed | None = None
) -> tuple[Loaded, ...]:
    """Every table's rows and their audit rows, all or none; ``landed`` is the clickstream's share, if there is one.

    Raises :class:`Disagreement`, with nothing changed, if the rows do not add up.
    """
    with warehouse.transaction():
        loaded = tuple(_merge_one(warehouse, one) for one in staged)
        for one in staged:
            if one.feed in CHANGE_FEEDS:
                _audit(warehouse, one, batch_id)
        if landed:
            audit_events(warehouse, landed, batch_id)
    for one in staged:
        warehouse.execute(f"drop table if exists {one.relation}")
    return loaded


def _merge_one(warehouse: Snowflake, staged: Staged) -> Loaded:
    name = staged.feed.name
    arrived = _count(warehouse, f"select count(*) from {staged.relation}")
    _expect(f"{staged.relation} against the lake", arrived, staged.rows_read)
    there_before = _held(warehouse, staged)
    warehouse.execute(_merge_statement(staged))
    there_after = _held(warehouse, staged)
    told = "" if there_after == staged.rows_read else _told(warehouse, staged)
    _expect(f"RAW.{name} against the lake", there_after, staged.rows_read, told)
    return Loaded(name, staged.rows_read, there_after - there_before)


def _held(warehouse: Snowflake, staged: Staged) -> int:
    return _count(warehouse, f"select count(*) from RAW.{staged.feed.name} where {staged.range.in_raw()}")


def _told(warehouse: Snowflake, staged: Staged) -> str:
    """What the load table and RAW hold of the topic: what one wants to know if they differ."""
    seen = "select _partition, count(*), min(_offset), max(_offset) from {} where _topic = %s group by 1 order by 1"
    relations = (staged.relation, f"RAW.{staged.feed.name}")
    held = (f"{name} holds {warehouse.query(seen.format(name), (staged.range.topic,))}" for name in relations)
    return f" where {staged.range.in_raw()}; (partition, rows, first, last): {', '.join(held)}"


def _count(warehouse: Snowflake, statement: str) -> int:
    return int(warehouse.query(statement)[0][0])


def _expect(what: str, found: int, expected: int, told: str = "") -> None:
    if found != expected:
        raise Disagreement(
            f"{what}: {found:,} rows where {expected:,} were read{told}", "nothing was loaded; run the batch again"
        )


def _merge_statement(staged: Staged) -> str:
    columns = staged.feed.raw.names
    same = " and ".join(f"held.{name} = arrived.{name}" for name in POSITION_KEY)
    return (
        f"merge into RAW.{staged.feed.name} as held using {staged.relation} as arrived on {same} "
        f"when not matched then insert ({', '.join(columns)}) "
        f"values ({', '.join(f'arrived.{name}' for name in columns)})"
    )


def _audit(warehouse: Snowflake, staged: Staged, batch_id: str) -> None:
    """One row per partition, unless it is there: counted from RAW, so it can be made again at any time."""
    wanted = staged.range
    warehouse.execute(
        f"insert into {AUDIT} ({', '.join(LOAD_AUDIT.names)}) "
        "select %s, _topic, _partition, max(_offset), count(*), count_if(batch_id = %s), %s, max(loaded_at) "
        f"from RAW.{staged.feed.name} as loaded where {wanted.in_raw()} and not exists ("
        f"select 1 from {AUDIT} as audited where audited.batch_id = %s "
        "and audited._topic = loaded._topic and audited._partition = loaded._partition) "
        "group by _topic, _partition",
        (batch_id, batch_id, str(staged.snapshot), batch_id),
    )
