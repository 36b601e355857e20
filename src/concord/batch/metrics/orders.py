"""Figures of a day: customers, orders, revenue, what became of the orders. Grain: day on which an order was created."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from concord.batch.days import Days
from concord.batch.metrics.ratios import exact_ratio, exact_ratio_or_zero
from concord.batch.metrics.source import Source
from concord.contracts.tables import ORDER_ITEMS, ORDERS, USERS, OrderStatus
from concord.rules.orders import COMPLETED, REVENUE

NO_REVENUE = [str(status) for status in OrderStatus if status not in REVENUE]


def order_metrics(source: Source, days: Days) -> DataFrame:
    """One row per wanted day on which an order was created. Nothing of another day plays a part."""
    orders = orders_of(source, days)
    lines = source.mirror(ORDER_ITEMS).select("order_id", "product_id", "quantity")
    told = with_registration(with_items(with_delivery(orders, source.log(ORDERS)), lines), source.mirror(USERS))
    return rated(with_products(by_day(told), products_by_day(orders, lines)))


def orders_of(source: Source, days: Days) -> DataFrame:
    """The orders of the days, of any status, guests' included, with what their status means."""
    orders = source.mirror(ORDERS).where(days.hold(F.col("date"))).withColumnRenamed("id", "order_id")
    return orders.select(
        *("order_id", "user_id", "date", "status", "total_amount"),
        is_revenue().alias("is_revenue"),
        F.col("status").isin(*map(str, sorted(COMPLETED))).alias("is_completed"),
    )


def is_revenue() -> Column:
    """True for everything but what is cancelled."""
    return ~F.col("status").isin(*NO_REVENUE)


def purchases(source: Source) -> DataFrame:
    """Orders that count as revenue: (order_id, user_id, date, total_amount)."""
    columns = ("user_id", "date", "total_amount")
    return source.mirror(ORDERS).where(is_revenue()).select(F.col("id").alias("order_id"), *columns)


def with_delivery(orders: DataFrame, log: DataFrame) -> DataFrame:
    """With ``days_to_fulfillment``: its row may have been touched again since an order was first seen delivered."""
    is_delivered = (F.col("status") == OrderStatus.DELIVERED) & (F.col("__op") != "d")
    first = log.where(is_delivered).groupBy(F.col("id").alias("order_id")).agg(F.min("updated_at").alias("at"))
    is_still = F.col("status") == OrderStatus.DELIVERED
    needed = F.when(is_still, F.datediff(F.to_date("at"), F.col("date")))
    return orders.join(first, "order_id", "left").withColumn("days_to_fulfillment", needed).drop("at")


def with_items(orders: DataFrame, lines: DataFrame) -> DataFrame:
    """With ``items``. Lines are summed before they are joined, so that an order stays one row and its total one sum."""
    items = lines.groupBy("order_id").agg(F.sum("quantity").alias("items"))
    return orders.join(items, "order_id", "left")


def with_registration(orders: DataFrame, users: DataFrame) -> DataFrame:
    """With ``is_new`` and ``is_returning``: registered on the order's day, or before; a guest is neither."""
    registered = users.select(F.col("id").alias("user_id"), F.col("date").alias("registered"))
    joined = orders.join(registered, "user_id", "left")
    return joined.select(
        *orders.columns,
        F.coalesce(F.col("registered") == F.col("date"), F.lit(False)).alias("is_new"),
        F.coalesce(F.col("registered") < F.col("date"), F.lit(False)).alias("is_returning"),
    )


def by_day(orders: DataFrame) -> DataFrame:
    """Counts and sums of each day."""
    new, returning, revenue = F.col("is_new"), F.col("is_returning"), F.col("is_revenue")
    return orders.groupBy("date").agg(
        F.count_distinct(F.when(new, F.col("user_id"))).alias("new_customers"),
        F.count_distinct(F.when(returning, F.col("user_id"))).alias("returning_customers"),
        F.count_distinct("user_id").alias("total_active_customers"),
        F.count(F.lit(1)).alias("total_orders"),
        F.count_if(F.col("is_completed")).alias("completed_orders"),
        F.count_if(~revenue).alias("cancelled_orders"),
        F.count_if(revenue).alias("revenue_orders"),
        _revenue(revenue).alias("total_revenue"),
        _revenue(revenue & new).alias("revenue_from_new_customers"),
        _revenue(revenue & returning).alias("revenue_from_returning_customers"),
        F.coalesce(F.sum(F.when(revenue, F.col("items"))), F.lit(0)).alias("total_items_sold"),
        F.count("days_to_fulfillment").alias("delivered_orders"),
        F.sum("days_to_fulfillment").alias("fulfillment_days"),
    )


def _revenue(condition: Column) -> Column:
    return F.coalesce(F.sum(F.when(condition, F.col("total_amount"))), F.lit(0)).cast("decimal(38,2)")


def products_by_day(orders: DataFrame, lines: DataFrame) -> DataFrame:
    """(date, unique_products_sold)."""
    sold = orders.where("is_revenue").join(lines, "order_id", "inner")
    return sold.groupBy("date").agg(F.count_distinct("product_id").alias("unique_products_sold"))


def with_products(daily: DataFrame, products: DataFrame) -> DataFrame:
    """A day without a line sold no product."""
    return daily.join(products, "date", "left").fillna(0, ["unique_products_sold"])


def rated(daily: DataFrame) -> DataFrame:
    """With the ratios."""
    col = F.col
    return daily.withColumns(
        {
            "avg_order_value": exact_ratio(col("total_revenue"), col("revenue_orders"), scale=2),
            "customer_acquisition_rate": exact_ratio_or_zero(col("new_customers"), col("total_active_customers")),
            "order_completion_rate": exact_ratio_or_zero(col("completed_orders"), col("total_orders")),
            "average_items_per_order": exact_ratio_or_zero(col("total_items_sold"), col("revenue_orders")),
            "avg_days_to_fulfillment": exact_ratio(col("fulfillment_days"), col("delivered_orders")),
            "cancellation_rate": exact_ratio_or_zero(col("cancelled_orders"), col("total_orders")),
        }
    )
