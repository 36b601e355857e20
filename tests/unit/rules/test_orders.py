"""Which orders count as what, and what may follow what."""

import itertools

import pytest

from concord.contracts.tables import OrderStatus
from concord.rules.orders import LIFE_OF_AN_ORDER, TRANSITIONS, is_completed, is_revenue, may_become


def test_completed_is_shipped_or_delivered() -> None:
    assert {status for status in OrderStatus if is_completed(status)} == {OrderStatus.SHIPPED, OrderStatus.DELIVERED}


def test_everything_but_cancelled_is_revenue() -> None:
    assert {status for status in OrderStatus if not is_revenue(status)} == {OrderStatus.CANCELLED}


def test_completed_orders_are_revenue() -> None:
    assert all(is_revenue(status) for status in OrderStatus if is_completed(status))


def test_the_life_of_an_order_takes_only_allowed_steps() -> None:
    assert all(may_become(one, next_one) for one, next_one in itertools.pairwise(LIFE_OF_AN_ORDER))


def test_every_status_says_what_may_follow() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)


@pytest.mark.parametrize("status", OrderStatus)
def test_no_order_goes_back(status: OrderStatus) -> None:
    reached, new = set(), set(TRANSITIONS[status])
    while new:
        reached |= new
        new = {later for each in new for later in TRANSITIONS[each]} - reached
    assert status not in reached


def test_an_order_that_has_left_the_house_is_not_cancelled() -> None:
    assert not may_become(OrderStatus.SHIPPED, OrderStatus.CANCELLED)
    assert not may_become(OrderStatus.DELIVERED, OrderStatus.CANCELLED)
