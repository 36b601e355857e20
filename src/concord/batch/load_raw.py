"""Rows of the lake into RAW: through the official connector into a table of the batch, then merged by position.

Of a change log both come through one load table, rows and what is no row; the latter are dead letters. The
merge inserts what RAW does not have yet and touches nothing else, and the audit rows are counted from RAW
itself in the same transaction; so a batch may be loaded any number of times, with its audit rows or without
them. A dead letter that the contract has room for since is one no longer once its row is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame

from concord.batch.audit_events import Landed, audit_events
from concord.batch.extent import owe_anew
from concord.batch.feeds import CHANGE_FEEDS, Feed
from concord.batch.range import Range
from concord.contracts.derived import DEAD_LETTERS, LOAD_AUDIT, RAW_DEAD_LETTERS
from concord.contracts.model import Dataset
from concord.contracts.tables import POSITION_KEY
from concord.errors import Disagreement
from concord.gateways.snowflake import Snowflake
from concord.landed.changes import DETAIL, POINTER
from concord.rules.violations import BAD_CHANGE_RECORD

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
class SetAside:
    """Records of one table that are no rows of it, for one reason."""

    table: str
    pointer: str
    detail: str
    records: int


@dataclass(frozen=True)
class Loaded:
    """What came of one table: ``rows_inserted`` is what RAW did not have yet; what is set aside is not read."""

    table: str
    rows_read: int
    rows_inserted: int
    set_aside: tuple[SetAside, ...] = ()

    @property
    def dead(self) -> int:
        """Records set aside, for whatever reason."""
        return sum(one.records for one in self.set_aside)


@dataclass(frozen=True)
class Share:
    """The rows of a load table that one table of RAW takes, and what it has for its columns where the names differ."""

    raw: Dataset
    where: str = "true"
    values: Mapping[str, str] = field(default_factory=dict)

    def value(self, column: str) -> str:
        return self.values.get(column, f"arrived.{column}")


IS_ROW, IS_NONE = f"{POINTER.name} is null", f"{POINTER.name} is not null"
OF_LETTER = {
    "reason": f"'{BAD_CHANGE_RECORD}'",
    "pointer": f"arrived.{POINTER.name}",
    "detail": f"arrived.{DETAIL.name}",
    "first_seen_at": "arrived.loaded_at",
}
LETTERS = Share(RAW_DEAD_LETTERS, IS_NONE, OF_LETTER)


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


def unfit(warehouse: Snowflake, feed: Feed) -> int:
    """Records in the load table that are no rows of their table."""
    if feed.table is None:
        return 0
    return _count(warehouse, f"select count(*) from RAW.{load_table(feed)} where {IS_NONE}")


def merge(
    warehouse: Snowflake,
    staged: Sequence[Staged],
    batch_id: str,
    landed: Landed | None = None,
    is_whole: bool = True,
    is_published: bool = False,
) -> tuple[Loaded, ...]:
    """Every table's rows and their audit rows, all or none; ``landed`` is the clickstream's share, if there is one.

    A part of a batch is checked like the whole of it, and leaves the audit rows of the whole alone. What RAW lacked of
    a published batch no incremental build looks for: with these rows comes the debt of building everything anew.
    Raises :class:`Disagreement`, with nothing changed, if the rows do not add up.
    """
    with warehouse.transaction():
        loaded = tuple(_merge_one(warehouse, one) for one in staged)
        for one in staged:
            if is_whole and one.feed in CHANGE_FEEDS:
                _audit(warehouse, one, batch_id)
        if landed:
            audit_events(warehouse, landed, batch_id, is_whole)
        if is_published and any(one.rows_inserted for one in loaded):
            owe_anew(warehouse)
    for one in staged:
        warehouse.execute(f"drop table if exists {one.relation}")
    return loaded


def _merge_one(warehouse: Snowflake, staged: Staged) -> Loaded:
    arrived = _count(warehouse, f"select count(*) from {staged.relation}")
    _expect(f"{staged.relation} against the lake", arrived, staged.rows_read)
    if staged.feed.table is None:
        return Loaded(staged.feed.name, arrived, _take(warehouse, staged, Share(staged.feed.raw), arrived))
    aside = _set_aside(warehouse, staged)
    dead = sum(one.records for one in aside)
    inserted = _take(warehouse, staged, Share(staged.feed.raw, IS_ROW), arrived - dead)
    warehouse.execute(_revive_statement(staged))
    _take(warehouse, staged, LETTERS, dead)
    return Loaded(staged.feed.name, arrived - dead, inserted, aside)


def _set_aside(warehouse: Snowflake, staged: Staged) -> tuple[SetAside, ...]:
    counted = warehouse.query(
        f"select {POINTER.name}, {DETAIL.name}, count(*) from {staged.relation} where {IS_NONE} group by 1, 2 order by 1, 2"
    )
    return tuple(SetAside(staged.feed.name, pointer, detail, int(count)) for pointer, detail, count in counted)


def _take(warehouse: Snowflake, staged: Staged, share: Share, expected: int) -> int:
    """How many rows the table did not have yet; afterwards it has all of its share, and no others of the range."""
    there_before = _held(warehouse, staged, share.raw.name)
    if expected:
        warehouse.execute(_merge_statement(staged, share))
    there_after = _held(warehouse, staged, share.raw.name)
    told = "" if there_after == expected else _told(warehouse, staged, share)
    _expect(f"RAW.{share.raw.name} against the lake", there_after, expected, told)
    return there_after - there_before


def _held(warehouse: Snowflake, staged: Staged, table: str) -> int:
    return _count(warehouse, f"select count(*) from RAW.{table} where {staged.range.in_raw()}")


def _told(warehouse: Snowflake, staged: Staged, share: Share) -> str:
    """What the load table and RAW hold of the topic: what one wants to know if they differ."""
    seen = "select _partition, count(*), min(_offset), max(_offset) from {} where _topic = %s group by 1 order by 1"
    relations = (staged.relation, f"RAW.{share.raw.name}")
    held = (f"{name} holds {warehouse.query(seen.format(name), (staged.range.topic,))}" for name in relations)
    return f" where {staged.range.in_raw()}; (partition, rows, first, last): {', '.join(held)}"


def _count(warehouse: Snowflake, statement: str) -> int:
    return int(warehouse.query(statement)[0][0])


def _expect(what: str, found: int, expected: int, told: str = "") -> None:
    if found != expected:
        raise Disagreement(
            f"{what}: {found:,} rows where {expected:,} were read{told}", "nothing was loaded; run the batch again"
        )


def _merge_statement(staged: Staged, share: Share) -> str:
    columns = share.raw.names
    same = " and ".join(f"held.{name} = arrived.{name}" for name in POSITION_KEY)
    return (
        f"merge into RAW.{share.raw.name} as held "
        f"using (select * from {staged.relation} where {share.where}) as arrived on {same} "
        f"when not matched then insert ({', '.join(columns)}) values ({', '.join(map(share.value, columns))})"
    )


def _revive_statement(staged: Staged) -> str:
    """Dead letters of the range whose rows are there now."""
    within, place = staged.range.in_raw(), ", ".join(POSITION_KEY)
    return (
        f"delete from RAW.{DEAD_LETTERS.name} where {within} "
        f"and ({place}) in (select {place} from RAW.{staged.feed.name} where {within})"
    )


def _audit(warehouse: Snowflake, staged: Staged, batch_id: str) -> None:
    """One row per partition, unless it is there: counted from RAW, so it can be made again at any time."""
    held = f"select _topic, _partition, _offset, batch_id, loaded_at from RAW.{{}} where {staged.range.in_raw()}"
    loaded = " union all ".join(map(held.format, (staged.feed.name, DEAD_LETTERS.name)))
    warehouse.execute(
        f"insert into {AUDIT} ({', '.join(LOAD_AUDIT.names)}) "
        "select %s, _topic, _partition, max(_offset), count(*), count_if(batch_id = %s), %s, max(loaded_at) "
        f"from ({loaded}) as loaded where not exists ("
        f"select 1 from {AUDIT} as audited where audited.batch_id = %s "
        "and audited._topic = loaded._topic and audited._partition = loaded._partition) "
        "group by _topic, _partition",
        (batch_id, batch_id, str(staged.snapshot), batch_id),
    )
