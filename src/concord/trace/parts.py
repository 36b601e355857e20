"""Which rows of a mart a row of the shop is part of, told from what is published."""

from collections.abc import Mapping

from concord.contracts.model import Dataset

SHOWN_KEYS = 3

ORDERS: Mapping[str, str] = {
    "users": "select * from STAGING.orders_enhanced where user_id = %(key)s",
    "products": "select * from STAGING.orders_enhanced where id in "
    "(select order_id from STAGING.order_items_enhanced where product_id = %(key)s)",
    "orders": "select * from STAGING.orders_enhanced where id = %(key)s",
    "order_items": "select * from STAGING.orders_enhanced where id in "
    "(select order_id from STAGING.order_items_enhanced where id = %(key)s)",
}
"""Table → the orders that one of its rows has to do with."""

LINES: Mapping[str, str] = {
    "users": "select * from STAGING.order_items_enhanced where order_id in "
    "(select id from STAGING.orders_enhanced where user_id = %(key)s)",
    "products": "select * from STAGING.order_items_enhanced where product_id = %(key)s",
    "orders": "select * from STAGING.order_items_enhanced where order_id = %(key)s",
    "order_items": "select * from STAGING.order_items_enhanced where id = %(key)s",
}
"""Table → the order lines that one of its rows has to do with."""


def _by_day(orders: str) -> str:
    return f"date in (select to_date(created_at) from ({orders}) as touched)"


def _by_month(orders: str) -> str:
    return f"month in (select date_trunc('month', created_at)::date from ({orders}) as touched)"


def _by_customer(orders: str) -> str:
    return f"customer_id in (select user_id from ({orders}) as touched)"


def _by_cohort(orders: str) -> str:
    """A cohort is a customer's first month."""
    return (
        "(cohort_month, month) in (select date_trunc('month', first_order_date)::date, "
        f"date_trunc('month', touched.created_at)::date from ({orders}) as touched "
        "inner join MARTS.customer_analytics as customers on customers.customer_id = touched.user_id)"
    )


def _by_day_and_product(lines: str) -> str:
    return (
        f"(date, product_id) in (select to_date(orders.created_at), lines.product_id from ({lines}) as lines "
        "inner join STAGING.orders_enhanced as orders on orders.id = lines.order_id)"
    )


PARTS: Mapping[str, Mapping[str, str]] = {
    "daily_business_metrics": {table: _by_day(orders) for table, orders in ORDERS.items()},
    "customer_tier_analytics": {table: _by_day(orders) for table, orders in ORDERS.items() if table != "products"},
    "product_performance": {table: _by_day_and_product(lines) for table, lines in LINES.items()},
    "customer_analytics": {
        "users": "customer_id = %(key)s",
        **{table: _by_customer(ORDERS[table]) for table in ("orders", "order_items")},
    },
    "monthly_kpis": {table: _by_month(orders) for table, orders in ORDERS.items() if table != "products"},
    "monthly_cohorts": {table: _by_cohort(ORDERS[table]) for table in ("users", "orders", "order_items")},
    "product_recommendations": {"products": "product_id = %(key)s"},
    "funnel": {},
    "category_funnel": {},
    "user_history": {"users": "user_id = %(key)s"},
    "product_history": {"products": "product_id = %(key)s"},
}
"""Mart → table → the mart's rows in which a row of the table counts. Where tiers are ranked, all tiers of a day do.
Funnels are made of events."""


def keys_of(mart: Dataset, part: str) -> str:
    """The query for these rows' keys."""
    key = ", ".join(mart.key)
    return f"select {key} from MARTS.{mart.name} where {part} order by {key}"
