"""Which orders count as what, and how an order lives. Both layers and dbt follow these."""

from collections.abc import Mapping

from concord.contracts.tables import OrderStatus

LIFE_OF_AN_ORDER = (OrderStatus.PENDING, OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED)

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset({OrderStatus.PROCESSING, OrderStatus.CANCELLED}),
    OrderStatus.PROCESSING: frozenset({OrderStatus.SHIPPED, OrderStatus.CANCELLED}),
    OrderStatus.SHIPPED: frozenset({OrderStatus.DELIVERED}),
    OrderStatus.DELIVERED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
}
"""What may follow what. An order that has left the house can no longer be cancelled."""

COMPLETED = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED})
REVENUE = frozenset(OrderStatus) - {OrderStatus.CANCELLED}


def is_completed(status: OrderStatus) -> bool:
    """Shipped or delivered."""
    return status in COMPLETED


def is_revenue(status: OrderStatus) -> bool:
    """Everything but cancelled, in both layers."""
    return status in REVENUE


def may_become(status: OrderStatus, following: OrderStatus) -> bool:
    """True if an order of this status may take the other one next."""
    return following in TRANSITIONS[status]
