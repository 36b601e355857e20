"""Mirrors of the shop's tables in the lake: one row per key, as PostgreSQL had it at a position.

A mirror is kept current by MERGE with the changes between the position it holds and the batch's. It
remembers its position in a property of the table, together with the snapshot that holds it. The
property is written after the merge, which is safe: a merge that is repeated from the same position, up
to the same one or further, comes to the same rows. A mirror that does not know what it holds (never
built, or rolled back) is built from the whole change log, in one commit.
"""

import json
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.batch.days import EVERY, Days
from concord.batch.feeds import spark_name
from concord.batch.range import between
from concord.batch.read_lake import at_snapshot
from concord.contracts.model import Dataset
from concord.contracts.names import HELD_POSITION, cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import TOAST_PLACEHOLDER, as_landed, as_mirror, in_lake, lake_name
from concord.errors import Misconfigured
from concord.landed.changes import judged, received, sound

CHANGES = "changes"
"""How many changes a key had, beside its last one."""


@dataclass(frozen=True)
class Mirrored:
    """What was done to one mirror: ``changed_keys`` were merged into it, or make it up if it was rebuilt.

    ``records`` were read of the change log; ``set_aside`` of them are no changes of the table.
    """

    table: str
    changed_keys: int
    is_rebuilt: bool
    records: int = 0
    set_aside: int = 0


def bring_to(spark: SparkSession, table: Dataset, upto: Position, snapshot: int | None) -> Mirrored:
    """Bring the mirror of ``table`` to a position that its change log holds at ``snapshot``."""
    above = held(spark, table)
    if above is None:
        return rebuild(spark, table, upto, snapshot)
    wanted = between(cdc_topic(table), above, upto)
    if wanted.is_empty:
        return Mirrored(table.name, 0, is_rebuilt=False)
    records = received(at_snapshot(spark, as_landed(table), wanted, snapshot))
    last = _last_changes(records, table).persist()
    try:
        _merge(spark, table, last)
        remember(spark, table, above.merge(upto.of_topic(wanted.topic)))
        return _told(table, records, last, last.count(), is_rebuilt=False)
    finally:
        last.unpersist()


def rebuild(spark: SparkSession, table: Dataset, upto: Position, snapshot: int | None, days: Days = EVERY) -> Mirrored:
    """The mirror's rows of ``days`` from the whole change log, in place of those it held. Readers see old rows or new."""
    topic = cdc_topic(table)
    records = received(at_snapshot(spark, as_landed(table), between(topic, Position(), upto), snapshot))
    last = _last_changes(records, table).persist()
    is_wanted = days.hold(F.col("date"))
    rows = last.where((F.col("__op") != "d") & is_wanted)
    try:
        rows.select(*in_lake(as_mirror(table)).names).writeTo(spark_name(table)).overwrite(is_wanted)
        remember(spark, table, upto.of_topic(topic))
        return _told(table, records, last, rows.count(), is_rebuilt=True)
    finally:
        last.unpersist()


def rebuild_days(spark: SparkSession, table: Dataset, days: Days, snapshot: int | None) -> Mirrored:
    """Some days anew, at the position that the mirror holds, so that all its rows go on being of one.

    Raises :class:`Misconfigured` if the mirror does not know what it holds.
    """
    return rebuild(spark, table, known(spark, table).position, snapshot, days)


def _told(table: Dataset, records: DataFrame, last: DataFrame, keys: int, *, is_rebuilt: bool) -> Mirrored:
    """What is no change of the table is in the records and behind no key."""
    read, sound_ones = records.count(), last.agg(F.sum(CHANGES)).collect()[0][0] or 0
    return Mirrored(table.name, keys, is_rebuilt, read, read - sound_ones)


def held(spark: SparkSession, table: Dataset) -> Position | None:
    """The position that the mirror holds at least; None if that cannot be told."""
    found = remembered(spark, table)
    return None if found is None else found.position


@dataclass(frozen=True)
class Held:
    """A snapshot, and the position that it holds."""

    snapshot: int
    position: Position


def remembered(spark: SparkSession, table: Dataset) -> Held | None:
    """What was last remembered of the table, as long as its snapshot is in the line of the current one."""
    found = spark.sql(f"show tblproperties {spark_name(table)}").where(F.col("key") == HELD_POSITION).collect()
    if not found:
        return None
    document = json.loads(found[0]["value"])
    ancestors = spark.table(f"{spark_name(table)}.history").where("is_current_ancestor").select("snapshot_id")
    is_here = any(row["snapshot_id"] == document["snapshot"] for row in ancestors.collect())
    return Held(document["snapshot"], Position.from_json(document["position"])) if is_here else None


def known(spark: SparkSession, table: Dataset) -> Held:
    """What the mirror holds. Raises :class:`Misconfigured` if that cannot be told."""
    found = remembered(spark, table)
    if found is None:
        raise Misconfigured(
            f"the lake's mirror {table.name} does not know what it holds", f"concord lake rebuild {table.name}"
        )
    return found


def remember(spark: SparkSession, table: Dataset, position: Position) -> None:
    """Say that the table, as it is now, holds ``position``."""
    document = json.dumps({"snapshot": current_snapshot(spark, table), "position": position.as_json()})
    spark.sql(f"alter table {spark_name(table)} set tblproperties ('{HELD_POSITION}' = '{document}')")


def current_snapshot(spark: SparkSession, table: Dataset) -> int | None:
    """The id of the newest snapshot, None for a table that nothing was ever written to."""
    found = spark.table(f"{spark_name(table)}.refs").where("name = 'main'").collect()
    return int(found[0]["snapshot_id"]) if found else None


def carry_over(spark: SparkSession, table: Dataset) -> None:
    """After a commit that changed files and no rows: the same position is held by the new snapshot."""
    position = held(spark, table)
    if position is not None:
        remember(spark, table, position)


def last_changes(changes: DataFrame, table: Dataset) -> DataFrame:
    """Of every key its last change, in the mirror's columns, deletes among them, and how many changes it had.

    A value that the last change left out is the last one that was sent, or the placeholder if these
    changes hold none.
    """
    mirror = as_mirror(table)
    plain = [name for name in mirror.names if name not in (*table.key, *table.toastable, "date")]
    last = F.max_by(F.struct(*plain), "_offset").alias("last")
    sent = [F.max_by(F.struct(name), _offset_if_sent(name)).alias(f"sent_{name}") for name in table.toastable]
    grouped = changes.groupBy(*table.key).agg(last, F.count(F.lit(1)).alias(CHANGES), *sent)
    values = {name: _sent(name) for name in table.toastable}
    values |= {name: F.col(f"last.{name}") for name in plain} | {"date": F.to_date("last.created_at")}
    named = (values.get(name, F.col(name)).alias(lake_name(name)) for name in mirror.names)
    return grouped.select(*named, CHANGES)


def _sent(name: str) -> Column:
    """The value last sent, be it null; the placeholder tells that none was."""
    return F.when(F.col(f"sent_{name}").isNotNull(), F.col(f"sent_{name}.{name}")).otherwise(TOAST_PLACEHOLDER)


def _offset_if_sent(name: str) -> Column:
    is_sent = (F.col("__op") != "d") & ~F.col(name).eqNullSafe(TOAST_PLACEHOLDER)
    return F.when(is_sent, F.col("_offset"))


def _last_changes(records: DataFrame, table: Dataset) -> DataFrame:
    return last_changes(sound(judged(records, table)), table)


def _merge(spark: SparkSession, table: Dataset, last: DataFrame) -> None:
    view = f"last_changes_of_{table.name}"
    last.createOrReplaceTempView(view)
    spark.sql(merge_statement(table, view))
    spark.catalog.dropTempView(view)


def merge_statement(table: Dataset, changes: str) -> str:
    """One MERGE: deletes are honoured, and a value that was left out is the one that the mirror has."""
    names = in_lake(as_mirror(table)).names
    same = " and ".join(f"held.{name} = came.{name}" for name in table.key)
    updates = ", ".join(f"{name} = {_value(table, name)}" for name in names)
    return (
        f"merge into {spark_name(table)} as held using {changes} as came on {same} "
        "when matched and came.__op = 'd' then delete "
        f"when matched then update set {updates} "
        f"when not matched and came.__op <> 'd' then insert ({', '.join(names)}) "
        f"values ({', '.join(f'came.{name}' for name in names)})"
    )


def _value(table: Dataset, name: str) -> str:
    if name not in table.toastable:
        return f"came.{name}"
    return f"if(came.{name} <=> '{TOAST_PLACEHOLDER}', held.{name}, came.{name})"
