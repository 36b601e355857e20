"""Products: performance, share of their category, stock and how fast it turns. Grain: day and product sold."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from concord.batch.days import Days
from concord.batch.metrics.orders import purchases
from concord.batch.metrics.ratios import exact_ratio
from concord.batch.metrics.source import Source
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS
from concord.rules.customers import DEMAND_DAYS, TOP_PERFORMER_SHARE


def product_metrics(source: Source, days: Days) -> DataFrame:
    """One row per wanted day and product that was sold on it, measured against all that was sold that day."""
    lines = lines_of_products_sold(sold_lines(source), days)
    sales = with_stock(with_recent(with_buyers(daily_sales(lines), lines)), stock_versions(source.log(PRODUCTS)))
    wanted = with_catalogue(sales.where(days.hold(F.col("date"))), source.mirror(PRODUCTS))
    return with_inventory(ranked(wanted))


def sold_lines(source: Source) -> DataFrame:
    """Every line of an order that is not cancelled, on its order's day."""
    lines = source.mirror(ORDER_ITEMS).select("order_id", "product_id", "quantity", "unit_price")
    return lines.join(purchases(source).select("order_id", "user_id", "date"), "order_id", "inner")


def lines_of_products_sold(lines: DataFrame, days: Days) -> DataFrame:
    """Whatever was ever sold of the products sold on these days: earlier days tell repeat buyers and demand."""
    if days.are_all:
        return lines
    wanted = lines.where(days.hold(F.col("date"))).select("product_id").distinct()
    return lines.join(wanted, "product_id", "left_semi")


def daily_sales(lines: DataFrame) -> DataFrame:
    """(product_id, date, units_sold, total_revenue)."""
    return lines.groupBy("product_id", "date").agg(
        F.sum("quantity").alias("units_sold"),
        F.sum(F.col("quantity") * F.col("unit_price")).cast("decimal(38,2)").alias("total_revenue"),
    )


def with_buyers(sales: DataFrame, lines: DataFrame) -> DataFrame:
    """With buyers of the day, and those of them who had bought the product on an earlier day."""
    bought = lines.where("user_id is not null").select("product_id", "user_id", "date").distinct()
    first = F.min("date").over(Window.partitionBy("product_id", "user_id"))
    buyers = bought.withColumn("first_date", first).groupBy("product_id", "date")
    counts = buyers.agg(
        F.count(F.lit(1)).alias("unique_customers"),
        F.count_if(F.col("first_date") < F.col("date")).alias("repeat_customers"),
    )
    joined = sales.join(counts, ["product_id", "date"], "left")
    return joined.fillna(0, ["unique_customers", "repeat_customers"])


def with_recent(sales: DataFrame) -> DataFrame:
    """With the units of the days that a pace is taken over, this one the last of them."""
    recent = Window.partitionBy("product_id").orderBy(F.unix_date("date")).rangeBetween(1 - DEMAND_DAYS, 0)
    return sales.withColumn("recent_units_sold", F.sum("units_sold").over(recent))


def stock_versions(log: DataFrame) -> DataFrame:
    """(product_id, date, version): what the shop had last set on each day that it set a stock."""
    version = F.struct("_offset", "stock_quantity")
    day = F.to_date("updated_at").alias("date")
    set_on = log.where("__op <> 'd'").groupBy(F.col("id").alias("product_id"), day)
    return set_on.agg(F.max(version).alias("version"))


def with_stock(sales: DataFrame, versions: DataFrame) -> DataFrame:
    """With the stock last set by the end of the day; null before the first version that was captured.

    Sales and versions go through one window: a join by "not after" would pair every sale with every version.
    """
    both = sales.unionByName(versions, allowMissingColumns=True)
    so_far = Window.partitionBy("product_id").orderBy("date")
    last = F.max("version").over(so_far).getField("stock_quantity")
    told = both.withColumn("current_stock_level", last.cast("bigint"))
    return told.where("units_sold is not null").drop("version")


def with_catalogue(sales: DataFrame, products: DataFrame) -> DataFrame:
    """With name and category as the catalogue has them now."""
    catalogue = products.select(F.col("id").alias("product_id"), F.col("name").alias("product_name"), "category")
    return sales.join(catalogue, "product_id", "left")


def ranked(sales: DataFrame) -> DataFrame:
    """Against the products of the same category that were sold that day."""
    category = Window.partitionBy("date", "category")
    by_revenue = category.orderBy(F.desc("total_revenue"))
    rank, peers = F.rank().over(by_revenue), F.count(F.lit(1)).over(category)
    return sales.withColumns(
        {
            "revenue_rank_in_category": rank,
            "units_rank_in_category": F.rank().over(category.orderBy(F.desc("units_sold"))),
            "is_top_performer": (rank - 1) * 100 < peers * TOP_PERFORMER_SHARE,
            "category_revenue": F.sum("total_revenue").over(category).cast("decimal(38,2)"),
        }
    ).withColumn("category_revenue_share", _share("total_revenue", "category_revenue"))


def _share(part: str, whole: str) -> Column:
    """Of two sums of money, in cents."""
    return exact_ratio(F.col(part) * 100, F.col(whole) * 100)


def with_inventory(sales: DataFrame) -> DataFrame:
    """Price per unit, and how long the stock lasts at the pace of late."""
    units, stock, recent = F.col("units_sold"), F.col("current_stock_level"), F.col("recent_units_sold")
    whole_days = F.expr(f"current_stock_level * {DEMAND_DAYS} div recent_units_sold")
    return sales.withColumns(
        {
            "avg_selling_price": exact_ratio(F.col("total_revenue"), F.when(units > 0, units), scale=2),
            "days_of_inventory_remaining": F.when(recent > 0, whole_days),
            "inventory_turnover": exact_ratio(recent, F.when(stock > 0, stock)),
        }
    )


def lines_without_order(source: Source, _: Days) -> DataFrame:
    """Lines whose order is not there: on no day."""
    orders = source.mirror(ORDERS).select(F.col("id").alias("order_id"))
    return source.mirror(ORDER_ITEMS).join(orders, "order_id", "left_anti")
