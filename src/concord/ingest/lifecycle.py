"""The life of an order after it was placed, simulated: the same order always lives the same life."""

from datetime import datetime, timedelta

from concord.contracts.tables import OrderStatus
from concord.ingest.made_up import drawn
from concord.rules.orders import LIFE_OF_AN_ORDER

STEPS = LIFE_OF_AN_ORDER[1:]
"""What follows on the placing, in this order."""

SHORTEST_AND_LONGEST = {
    OrderStatus.PROCESSING: (timedelta(minutes=5), timedelta(hours=4)),
    OrderStatus.SHIPPED: (timedelta(hours=4), timedelta(hours=48)),
    OrderStatus.DELIVERED: (timedelta(hours=24), timedelta(hours=120)),
}
"""How long after the step before."""


def steps(order: str, placed_at: datetime) -> list[tuple[OrderStatus, datetime]]:
    """Every later status of the order with the time it was reached; times rise strictly."""
    life = []
    reached_at = placed_at
    for status in STEPS:
        shortest, longest = SHORTEST_AND_LONGEST[status]
        seconds = int((longest - shortest).total_seconds())
        reached_at += shortest + timedelta(seconds=drawn(f"{status} {order}", seconds))
        life.append((status, reached_at))
    return life


def remaining(status: OrderStatus) -> tuple[OrderStatus, ...]:
    """The steps an order of this status has still before it; a cancelled order has none."""
    if status is OrderStatus.PENDING:
        return STEPS
    return STEPS[STEPS.index(status) + 1 :] if status in STEPS else ()


def before(status: OrderStatus) -> OrderStatus:
    """The status an order has just before it reaches this one."""
    return LIFE_OF_AN_ORDER[LIFE_OF_AN_ORDER.index(status) - 1]
