"""What people ask of the marts, each with its answer told from the shop's rows in plain Python."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from concord.contracts.tables import TOAST_PLACEHOLDER
from concord.rules.customers import is_at_risk
from concord.rules.ratios import ratio
from tests.marts_oracle import before_month, day, month, total
from tests.visits_oracle import VisitsOracle, steps_by_category

Values = tuple[Any, ...]
ZERO = Decimal("0.00")
THEN = datetime(2024, 1, 25, 2, 30, tzinfo=UTC)
"""Some night within the shop's life."""


@dataclass(frozen=True)
class Question:
    """A statement as a tool for business intelligence would send it, and the right answer."""

    sql: str
    expected: Callable[[VisitsOracle], list[Values]]


def revenue_by_month(visits: VisitsOracle) -> list[Values]:
    shop = visits.shop
    return [
        (
            first,
            sum(month(order["created_at"]) == first for order in shop.orders),
            total(order for order in shop.purchases if month(order["created_at"]) == first),
        )
        for first in shop.months
    ]


def best_sellers(visits: VisitsOracle) -> list[Values]:
    shop = visits.shop
    since = max(shop.days) - timedelta(days=30)
    sums: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for sale in shop.sales:
        if sale.day > since:
            sums[sale.line["product_id"]] += sale.total
    best = sorted(sums, key=lambda key: (-sums[key], key))[:5]
    return [(key, shop.products[key]["name"], sums[key]) for key in best]


def best_customers_share(visits: VisitsOracle) -> list[Values]:
    shop = visits.shop
    spent = sorted((shop.spend(key) for key in shop.users), reverse=True)
    fifth = spent[: -(-len(spent) // 5)]
    return [(len(fifth), sum(fifth, ZERO), sum(spent, ZERO))]


def lost_customers(visits: VisitsOracle) -> list[Values]:
    """Of those who have bought, by how long ago that was."""
    shop = visits.shop
    since = {key: (shop.as_of.date() - day(its[-1]["created_at"])).days for key, its in shop.purchases_of.items()}
    counts = [(at_risk, sum(is_at_risk(days) == at_risk for days in since.values())) for at_risk in (False, True)]
    return [(at_risk, count) for at_risk, count in counts if count]


def kept_from_month_to_month(visits: VisitsOracle) -> list[Values]:
    shop = visits.shop
    pairs = [(before_month(first), first) for first in shop.months if before_month(first) in shop.months]
    buyers = [(first, shop.buyers_in(before), shop.buyers_in(first)) for before, first in pairs]
    return [(first, ratio(len(before & now), len(before))) for first, before, now in buyers]


def conversion_by_tier(visits: VisitsOracle) -> list[Values]:
    reached: dict[str, list[int]] = defaultdict(list)
    for session in visits.sessions.values():
        reached[visits.tier(session["user_id"], session["started_at"].date())].append(session["funnel_step"])
    return [(tier, len(steps), steps.count(4)) for tier, steps in sorted(reached.items())]


def left_carts(visits: VisitsOracle) -> list[Values]:
    """By source: sessions that filled a cart and bought nothing."""
    left: dict[str, int] = defaultdict(int)
    for session in visits.sessions.values():
        left[session["traffic_source"]] += session["funnel_step"] in (2, 3)
    return sorted(((source, count) for source, count in left.items() if count), key=lambda row: (-row[1], row[0]))


def views_and_sales(visits: VisitsOracle) -> list[Values]:
    """Per category the sessions that viewed it, beside what it sold: clicks and money in one answer."""
    viewed: dict[str, int] = defaultdict(int)
    for session in visits.sessions.values():
        for category, _ in steps_by_category(session):
            viewed[category] += 1
    sold: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for sale in visits.shop.sales:
        sold[visits.shop.products[sale.line["product_id"]]["category"]] += sale.total
    return [(category, viewed[category], sold[category]) for category in sorted(viewed.keys() & sold.keys())]


def prices_then(visits: VisitsOracle) -> list[Values]:
    log = visits.shop.history.logs["products"]
    then = {key: as_it_was(log, key, THEN) for key in sorted(visits.shop.products)}
    return [(key, product["price"]) for key, product in then.items() if product]


def address_at_each_order(visits: VisitsOracle) -> list[Values]:
    """Of customers who were captured by then."""
    log = visits.shop.history.logs["users"]
    orders = [order for order in visits.shop.orders if order["user_id"] is not None]
    buyers = {order["id"]: as_it_was(log, order["user_id"], order["created_at"]) for order in orders}
    return sorted((order, buyer["email"], buyer["last_name"]) for order, buyer in buyers.items() if buyer)


def as_it_was(log: list[dict[str, Any]], key: int, then: datetime) -> dict[str, Any] | None:
    """The row by its changes up to that moment."""
    row: dict[str, Any] | None = None
    for change in (change for change in log if change["id"] == key):
        if change["__source_ts_ms"] > then:
            break
        kept = {name: row[name] for name, sent in change.items() if row and sent == TOAST_PLACEHOLDER}
        row = None if change["__op"] == "d" else change | kept
    return row


QUESTIONS = {
    "what each product cost one night": Question(
        f"select product_id, price from MARTS.product_history where valid_from <= '{THEN:%Y-%m-%d %H:%M:%S}' "
        f"and (valid_to is null or valid_to > '{THEN:%Y-%m-%d %H:%M:%S}') order by product_id",
        prices_then,
    ),
    "which address and name the customer had when an order was placed": Question(
        "select orders.id, users.email, users.last_name from STAGING.orders_enhanced as orders "
        "inner join MARTS.user_history as users on orders.user_id = users.user_id "
        "and orders.created_at >= users.valid_from "
        "and (users.valid_to is null or orders.created_at < users.valid_to) order by orders.id",
        address_at_each_order,
    ),
    "orders and revenue per month": Question(
        "select date_trunc('month', date)::date as month, sum(total_orders), sum(total_revenue) "
        "from MARTS.daily_business_metrics group by 1 order by 1",
        revenue_by_month,
    ),
    "five best sellers of the last 30 days": Question(
        "select product_id, product_name, sum(total_revenue) as revenue from MARTS.product_performance "
        "where date > dateadd(day, -30, (select max(date) from MARTS.daily_business_metrics)) "
        "group by product_id, product_name order by revenue desc, product_id limit 5",
        best_sellers,
    ),
    "what the best fifth of customers spent of all": Question(
        "with ranked as (select total_spent, row_number() over (order by total_spent desc, customer_id) as place, "
        "count(*) over () as customers from MARTS.customer_analytics) "
        "select count_if((place - 1) * 5 < customers), sum(iff((place - 1) * 5 < customers, total_spent, 0)), "
        "sum(total_spent) from ranked",
        best_customers_share,
    ),
    "customers lost and not lost": Question(
        "select is_at_risk, count(*) from MARTS.customer_analytics where total_orders > 0 group by 1 order by 1",
        lost_customers,
    ),
    "share of buyers who came back the next month": Question(
        "select month, retention_rate from MARTS.monthly_kpis "
        "where month > (select min(month) from MARTS.monthly_kpis) order by month",
        kept_from_month_to_month,
    ),
    "sessions and purchases per tier": Question(
        "select customer_tier, sum(sessions), sum(purchased) from MARTS.funnel group by 1 order by 1",
        conversion_by_tier,
    ),
    "carts left behind, per source of the visit": Question(
        "select traffic_source, sum(carted) - sum(purchased) as left_behind from MARTS.funnel "
        "group by 1 having left_behind > 0 order by 2 desc, 1",
        left_carts,
    ),
    "views and revenue per category": Question(
        "with viewed as (select product_category, sum(viewed) as sessions from MARTS.category_funnel group by 1), "
        "sold as (select category, sum(total_revenue) as revenue from MARTS.product_performance group by 1) "
        "select product_category, sessions, revenue from viewed inner join sold on product_category = category "
        "order by 1",
        views_and_sales,
    ),
}
