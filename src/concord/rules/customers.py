"""What the marts say of customers and products, in the words of Python: dbt's figures are held against these."""

from decimal import Decimal

from concord.rules.ratios import ratio

ACTIVE_DAYS = 90
"""A customer is active up to so many days after the last order …"""
AT_RISK_DAYS = 180
"""… and at risk from so many days on."""

LTV_DAYS = 365
"""How far a forecast of lifetime value looks ahead."""
LTV_MINIMUM_DAYS = 90
"""The shortest time that a pace of spending is taken over: one large first order is no pace."""

DEMAND_DAYS = 30
"""The days that a product's pace of sale is taken over."""

TOP_PERFORMER_SHARE = 20
POPULAR_SHARE = 20
"""Percent of products."""

MAX_BASKET = 100
"""Products in an order from which it says nothing about what belongs together."""
MIN_ORDERS_TOGETHER = 3
RECOMMENDATIONS = 5
"""Length of a product's list."""


def is_active(days_since_last_order: int | None) -> bool:
    return days_since_last_order is not None and days_since_last_order <= ACTIVE_DAYS


def is_at_risk(days_since_last_order: int | None) -> bool:
    """Has bought, and not for long."""
    return days_since_last_order is not None and days_since_last_order >= AT_RISK_DAYS


def predicted_ltv(spent: Decimal, days_since_first_order: int | None, at_risk: bool) -> Decimal:
    """The spend so far, continued at its own pace for :data:`LTV_DAYS`; who is at risk adds nothing."""
    if days_since_first_order is None or at_risk:
        return spent
    observed = max(days_since_first_order, LTV_MINIMUM_DAYS)
    predicted = ratio(spent * (observed + LTV_DAYS), observed)
    assert predicted is not None
    return predicted


def days_of_inventory(stock: int | None, recent_units: int) -> int | None:
    """Whole days that the stock lasts at the pace of the last :data:`DEMAND_DAYS`."""
    if stock is None or recent_units <= 0:
        return None
    return stock * DEMAND_DAYS // recent_units


def is_top_performer(rank: int, products: int) -> bool:
    """Within the first fifth of a category, rounded up."""
    return (rank - 1) * 100 < products * TOP_PERFORMER_SHARE
