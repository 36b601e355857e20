"""Days whose figures the changes between two positions may have altered. Sound: a day that is not named is as it was.

Every change counts where its row lies and where it lay before, for both days have lost or won something.
"""

from collections.abc import Callable
from datetime import date

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from concord.batch.metrics.funnel import owned, sessions
from concord.batch.metrics.products import sold_lines
from concord.batch.metrics.source import Source
from concord.batch.range import between
from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, TOAST_PLACEHOLDER, USERS
from concord.rules.sessions import INACTIVITY_MS

Touched = Callable[[Source, Position], frozenset[date]]
"""What was touched above a position."""

BEGINNING = "0001-01-01"
"""Before all days. As text, for the year of a date becomes one digit on its way to Java."""


def order_days(source: Source, since: Position) -> frozenset[date]:
    """Days of orders that changed, whose lines did, or whose customer did: new and returning is a matter of users."""
    users = versions(source, USERS, since).select(F.col("id").alias("user_id")).distinct()
    theirs = source.mirror(ORDERS).join(users, "user_id", "left_semi").select("date")
    return _collected(_days_of_orders(source, since).select("date").union(theirs))


def product_days(source: Source, since: Position) -> frozenset[date]:
    """Days on which a product was touched, and all later ones on which it was sold.

    Later days know it by its buyers and its pace, and, from the day that it was set, by its stock. Ranks are taken
    over a whole day, so every product sold on these days is in for it.
    """
    touched = _product_days(source, since)
    first = touched.union(_catalogue_days(source, since)).groupBy("product_id").agg(F.min("date").alias("first"))
    sold = sold_lines(source).select("product_id", "date").distinct().join(first, "product_id", "inner")
    return _collected(touched.select("date").union(sold.where("date >= first").select("date")))


def funnel_days(source: Source, since: Position) -> frozenset[date]:
    """Days on which a session began that new events are in, made longer, cut short, or swallowed.

    A new event reaches back one pause: what it cuts off ended, at the earliest, that long before it. Whatever it
    swallowed had begun with an event after it.
    """
    new = owned(source.events(above=since)).groupBy("owner").agg(F.min("occurred_at").alias("first"))
    events = owned(source.events()).join(new, "owner", "left_semi")
    reach = F.unix_millis("first") - INACTIVITY_MS
    began = sessions(events).join(new, "owner", "inner").where(F.unix_millis("ended_at") >= reach)
    later = events.join(new, "owner", "inner").where("occurred_at >= first")
    return _collected(began.select("date").union(later.select(F.to_date("occurred_at").alias("date"))))


def versions(source: Source, table: Dataset, since: Position) -> DataFrame:
    """Of every key that changed above ``since`` its changes from there on (``is_new``), and the one before them."""
    wanted = between(cdc_topic(table), since, source.position)
    if wanted.is_empty:
        return source.log(table).where("false").withColumn("is_new", F.lit(True))
    log = source.log(table).withColumn("is_new", F.expr(wanted.in_raw()))
    is_followed = F.coalesce(F.lead("is_new").over(_in_order(table)), F.lit(False))
    return log.withColumn("is_followed", is_followed).where("is_new or is_followed").drop("is_followed")


def _in_order(table: Dataset) -> WindowSpec:
    """A key keeps to its partition, so its offsets are its order."""
    return Window.partitionBy(*table.key).orderBy("_offset")


def _days_of_orders(source: Source, since: Position) -> DataFrame:
    """(order_id, date): where an order lies or lay that changed, or whose lines did."""
    changed = versions(source, ORDERS, since).where("created_at is not null")
    lay = changed.select(F.col("id").alias("order_id"), F.to_date("created_at").alias("date"))
    lines = versions(source, ORDER_ITEMS, since).select("order_id").distinct()
    orders = source.mirror(ORDERS).select(F.col("id").alias("order_id"), "date")
    return lay.union(orders.join(lines, "order_id", "left_semi")).distinct()


def _product_days(source: Source, since: Position) -> DataFrame:
    """(product_id, date): what these orders hold or held."""
    columns = ("order_id", "product_id")
    lines = versions(source, ORDER_ITEMS, since).select(*columns).union(source.mirror(ORDER_ITEMS).select(*columns))
    days = _days_of_orders(source, since)
    return days.join(lines.distinct(), "order_id", "inner").select("product_id", "date").distinct()


def _catalogue_days(source: Source, since: Position) -> DataFrame:
    """(product_id, date): since when a product is another. Its stock counts from that day, its name has no day."""
    before = F.lag(F.struct("name", "category")).over(_in_order(PRODUCTS))
    changed = versions(source, PRODUCTS, since).withColumn("before", before).where("is_new")
    day = F.when(_is_other_product(), F.lit(BEGINNING).cast("date")).otherwise(F.to_date("updated_at"))
    return changed.select(F.col("id").alias("product_id"), day.alias("date"))


def _is_other_product() -> Column:
    """A name that was left out is the one before."""
    is_renamed = (F.col("name") != TOAST_PLACEHOLDER) & ~F.col("name").eqNullSafe(F.col("before.name"))
    return ~F.col("category").eqNullSafe(F.col("before.category")) | F.coalesce(is_renamed, F.lit(False))


def _collected(days: DataFrame) -> frozenset[date]:
    return frozenset(row["date"] for row in days.distinct().collect())
