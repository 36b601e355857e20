"""Invoice lines into the rows of the four tables, in order of time. Pure: ids are ranks, counted from 0."""

from dataclasses import dataclass

import polars as pl

from concord.contracts.tables import OrderStatus
from concord.ingest.made_up import person, stock_of
from concord.ingest.online_retail.categories import category_of
from concord.ingest.online_retail.lines import CANCELLATION, Lines


@dataclass(frozen=True)
class Plan:
    """What a file becomes; every frame is in the order in which its rows come into being.

    users: id, email, first_name, last_name, created_at
    products: rank, sku, name, cents, stock_quantity, category, created_at
    orders: rank, external_id, user_id, status (as placed), cents (total), shipping_address, created_at,
        first_item (rank), items (how many)
    items: rank, order, product (ranks), quantity, cents, created_at
    """

    users: pl.DataFrame
    products: pl.DataFrame
    orders: pl.DataFrame
    items: pl.DataFrame

    def first(self, invoices: int) -> "Plan":
        """The plan of the earliest invoices alone; names and prices remain those of the whole file."""
        orders = self.orders.head(invoices)
        items = self.items.filter(pl.col("order") < invoices)
        products = self.products.filter(pl.col("rank").is_in(items["product"].unique().implode()))
        users = self.users.filter(pl.col("id").is_in(orders["user_id"].drop_nulls().unique().implode()))
        return Plan(users, products, orders, items)


def plan(lines: Lines) -> Plan:
    """The rows of users, products, orders and order items that these lines stand for."""
    rows = _in_order_of_time(lines.rows)
    products = _products(rows)
    return Plan(_users(rows), products, _orders(rows), _items(rows, products))


def _in_order_of_time(rows: pl.DataFrame) -> pl.DataFrame:
    """Lines grouped by order, orders by their earliest line; the file's order decides between equals."""
    stamped = rows.with_row_index("first_row").with_columns(
        at=pl.col("at").dt.replace_time_zone("UTC"),
        placed_at=pl.col("at").min().over("invoice").dt.replace_time_zone("UTC"),
        first_row=pl.col("first_row").min().over("invoice"),
        is_cancelled=pl.col("invoice").str.starts_with(CANCELLATION),
    )
    ordered = stamped.sort("placed_at", "first_row", maintain_order=True).with_columns(
        order=pl.col("first_row").rle_id().cast(pl.Int64), rank=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    return ordered.with_columns(quantity=pl.when("is_cancelled").then(pl.col("quantity").abs()).otherwise("quantity"))


def _users(rows: pl.DataFrame) -> pl.DataFrame:
    seen = (
        rows.filter(pl.col("customer").is_not_null())
        .group_by("customer", maintain_order=True)
        .agg(pl.col("placed_at").first().alias("created_at"))
    )
    people = [person(customer) for customer in seen["customer"]]
    return pl.DataFrame(
        {
            "id": seen["customer"],
            "email": [who.email for who in people],
            "first_name": [who.first_name for who in people],
            "last_name": [who.last_name for who in people],
            "created_at": seen["created_at"],
        }
    )


def _products(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per stock code as it is spelled. Its price is the latest positive one, else 0."""
    by_sku = rows.group_by("sku", maintain_order=True)
    seen = by_sku.agg(pl.col("at").min().alias("created_at"))
    prices = rows.filter(pl.col("cents") > 0).sort("at", "rank").group_by("sku").agg(pl.col("cents").last())
    known = seen.join(prices, on="sku", how="left", maintain_order="left").join(
        _names(rows), on="sku", how="left", maintain_order="left"
    )
    named = known.with_columns(pl.col("name").fill_null(pl.col("sku")), pl.col("cents").fill_null(0))
    return named.with_columns(
        rank=pl.int_range(pl.len(), dtype=pl.Int64),
        stock_quantity=pl.Series([stock_of(sku) for sku in named["sku"]]),
        category=pl.Series([category_of(sku, name) for sku, name in named.select("sku", "name").iter_rows()]),
    )


def _names(rows: pl.DataFrame) -> pl.DataFrame:
    """The most frequent description of each stock code; among equals the one that came first."""
    return (
        rows.filter(pl.col("description").is_not_null())
        .group_by("sku", "description")
        .agg(pl.len().alias("times"), pl.col("rank").min())
        .sort("times", "rank", descending=[True, False])
        .group_by("sku", maintain_order=True)
        .agg(pl.col("description").first().alias("name"))
    )


def _orders(rows: pl.DataFrame) -> pl.DataFrame:
    pending, cancelled = pl.lit(str(OrderStatus.PENDING)), pl.lit(str(OrderStatus.CANCELLED))
    return (
        rows.group_by(pl.col("order").alias("rank"), maintain_order=True)
        .agg(
            pl.col("invoice").first().alias("external_id"),
            pl.col("customer").first().alias("user_id"),
            pl.col("is_cancelled").first(),
            (pl.col("quantity") * pl.col("cents")).sum().alias("cents"),
            pl.col("country").first().alias("shipping_address"),
            pl.col("placed_at").first().alias("created_at"),
            pl.col("rank").first().alias("first_item"),
            pl.len().alias("items"),
        )
        .with_columns(status=pl.when("is_cancelled").then(cancelled).otherwise(pending))
        .drop("is_cancelled")
    )


def _items(rows: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    ranks = products.select("sku", pl.col("rank").alias("product"))
    return rows.join(ranks, on="sku", maintain_order="left").select(
        "rank", "order", "product", "quantity", "cents", pl.col("at").alias("created_at")
    )
