"""Customers: lifetime value, tier, frequency, recency, what they like. Grain: registered customer.

No range of days can narrow this: a lifetime is all of it, and a tier is a rank among everybody.
"""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from concord.batch.days import Days
from concord.batch.metrics.orders import purchases
from concord.batch.metrics.ratios import RATIO, exact_ratio
from concord.batch.metrics.source import Source
from concord.contracts.tables import ORDER_ITEMS, PRODUCTS, USERS
from concord.rules.bands import CUSTOMER_TIERS
from concord.rules.customers import ACTIVE_DAYS, AT_RISK_DAYS, LTV_DAYS, LTV_MINIMUM_DAYS

SUM = "decimal(38,2)"


def customer_metrics(source: Source, _: Days) -> DataFrame:
    """One row per registered customer, over all orders that are not cancelled."""
    orders, products = purchases(source), source.mirror(PRODUCTS)
    lines = lines_of(orders, source.mirror(ORDER_ITEMS), products)
    spenders = with_tier(with_spending(registered(source.mirror(USERS), source.today), spending(orders)))
    known = with_items(spenders, items(lines), favorites(lines))
    return valued(segmented(known, source.today), source.today)


def registered(users: DataFrame, today: date) -> DataFrame:
    """Who there is, and since when."""
    return users.select(
        F.col("id").alias("customer_id"),
        F.col("date").alias("registration_date"),
        F.datediff(F.lit(today), F.col("date")).alias("days_since_registration"),
    )


def lines_of(orders: DataFrame, lines: DataFrame, products: DataFrame) -> DataFrame:
    """(customer_id, product_id, category, quantity) of every line of these orders."""
    catalogue = products.select(F.col("id").alias("product_id"), "category")
    owned = orders.select("order_id", F.col("user_id").alias("customer_id"))
    joined = lines.join(owned, "order_id", "inner").join(catalogue, "product_id", "left")
    return joined.select("customer_id", "product_id", "category", "quantity")


def spending(orders: DataFrame) -> DataFrame:
    """Orders and money per customer. No line is near: joined to its lines, an order would count once for each."""
    return orders.groupBy(F.col("user_id").alias("customer_id")).agg(
        F.count(F.lit(1)).alias("total_orders"),
        F.sum("total_amount").cast(SUM).alias("total_spent"),
        F.min("date").alias("first_order_date"),
        F.max("date").alias("last_order_date"),
    )


def items(lines: DataFrame) -> DataFrame:
    """Pieces and distinct products per customer."""
    return lines.groupBy("customer_id").agg(
        F.sum("quantity").alias("total_items_purchased"),
        F.count_distinct("product_id").alias("unique_products_purchased"),
    )


def favorites(lines: DataFrame) -> DataFrame:
    """The category with most units per customer; of equals the first by name."""
    units = lines.where("category is not null").groupBy("customer_id", "category").agg(F.sum("quantity").alias("units"))
    best = F.min_by("category", F.struct(-F.col("units"), F.col("category")))
    return units.groupBy("customer_id").agg(best.alias("favorite_category"))


def with_spending(users: DataFrame, spent: DataFrame) -> DataFrame:
    """Who never bought has spent nothing, and has no dates."""
    joined = users.join(spent, "customer_id", "left").fillna(0, ["total_orders"])
    return joined.withColumn("total_spent", F.coalesce(F.col("total_spent"), F.lit(0)).cast(SUM))


def with_tier(customers: DataFrame) -> DataFrame:
    """Rank of spend among all, and the tier that it gives.

    A rank over everybody needs everybody in one task, so it is taken before anything wide is joined.
    """
    rank = F.row_number().over(Window.orderBy(F.desc("total_spent"), "customer_id"))
    count = F.count(F.lit(1)).over(Window.partitionBy())
    ranked = customers.withColumns({"spend_rank": rank, "customers": count})
    return ranked.withColumn("customer_tier", tier(F.col("spend_rank"), F.col("customers"), F.col("total_spent")))


def with_items(customers: DataFrame, *purchased: DataFrame) -> DataFrame:
    """Who bought nothing has no pieces, and likes nothing."""
    joined = customers
    for each in purchased:
        joined = joined.join(each, "customer_id", "left")
    return joined.fillna(0, ["total_items_purchased", "unique_products_purchased"])


def tier(rank: Column, customers: Column, spent: Column) -> Column:
    """As the shares of all ranks say; who has spent nothing is of the lowest."""
    found = F.when(spent <= 0, CUSTOMER_TIERS.lowest)
    for share in CUSTOMER_TIERS:
        found = found.when(rank * 100 <= customers * share.upto_percent, share.name)
    return found


def segmented(customers: DataFrame, today: date) -> DataFrame:
    """Recency, and what it says of a customer."""
    since = F.datediff(F.lit(today), F.col("last_order_date"))
    return customers.withColumns(
        {
            "days_since_last_order": since,
            "is_active": F.coalesce(since <= ACTIVE_DAYS, F.lit(False)),
            "is_at_risk": F.coalesce(since >= AT_RISK_DAYS, F.lit(False)),
        }
    )


def valued(customers: DataFrame, today: date) -> DataFrame:
    """Value per order, pace, and what is to be expected."""
    followers = F.when(F.col("total_orders") > 1, F.col("total_orders") - 1)
    between = F.datediff("last_order_date", "first_order_date")
    return customers.withColumns(
        {
            "avg_order_value": exact_ratio(F.col("total_spent"), F.col("total_orders"), scale=2),
            "avg_days_between_orders": exact_ratio(between, followers),
            "predicted_ltv": predicted_ltv(today),
        }
    )


def predicted_ltv(today: date) -> Column:
    """The spend so far, continued at its own pace; who is at risk, or never bought, adds nothing."""
    observed = F.greatest(F.datediff(F.lit(today), F.col("first_order_date")), F.lit(LTV_MINIMUM_DAYS))
    continued = exact_ratio(F.col("total_spent") * (observed + LTV_DAYS), observed, scale=2)
    adds_nothing = F.col("first_order_date").isNull() | F.col("is_at_risk")
    return F.when(adds_nothing, F.col("total_spent").cast(RATIO)).otherwise(continued)


def unknown_customers(source: Source, _: Days) -> DataFrame:
    """Orders of a customer who is not there: in nobody's lifetime."""
    users = source.mirror(USERS).select(F.col("id").alias("user_id"))
    return purchases(source).where("user_id is not null").join(users, "user_id", "left_anti")
