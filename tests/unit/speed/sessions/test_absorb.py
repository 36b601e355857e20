"""Which events out of order are only counted, and which have their session made anew."""

from decimal import Decimal
from typing import Any

import pytest

from concord.chaos.oracle import oracle
from concord.contracts.events import EventType
from tests.session_events import MINUTE, Event, SpeedLayer, click

PAGE, VIEW, CART, CHECKOUT, PURCHASE, LOGIN, LOGOUT, SEARCH = (
    EventType.PAGE_VIEW,
    EventType.PRODUCT_VIEW,
    EventType.ADD_TO_CART,
    EventType.CHECKOUT_START,
    EventType.PURCHASE,
    EventType.LOGIN,
    EventType.LOGOUT,
    EventType.SEARCH,
)
ARTICLE = {"product_category": "toys", "product_price": Decimal("1.00"), "quantity": 2}


def bought() -> list[Event]:
    """A session of an hour whose funnel was done within four minutes."""
    return [
        click(PAGE, 0, 1),
        click(LOGIN, 0, 2, user_id=7, customer_tier="gold"),
        click(VIEW, 1 * MINUTE, 3, **ARTICLE),
        click(CART, 2 * MINUTE, 4, **ARTICLE),
        click(CHECKOUT, 3 * MINUTE, 5),
        click(PURCHASE, 4 * MINUTE, 6, total_amount=Decimal("2.00")),
        *(click(PAGE, minute * MINUTE, 10 + minute) for minute in (30, 59, 60)),
    ]


def layer_with(*events: Event) -> SpeedLayer:
    layer = SpeedLayer()
    layer.take(*events)
    return layer


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PAGE, {}),
        (PAGE, {"user_id": 8}),
        (SEARCH, {"results_count": 0}),
        (EventType.REMOVE_FROM_CART, ARTICLE),
        (VIEW, ARTICLE),
        (VIEW, {}),
        (CART, ARTICLE),
        (CHECKOUT, {}),
        (PURCHASE, {"total_amount": Decimal("9.00")}),
    ],
)
def test_what_moves_nothing_is_counted_without_reading_again(kind: EventType, values: dict[str, Any]) -> None:
    layer = layer_with(*bought())
    changes = layer.take(click(kind, 45 * MINUTE, 99, **values))
    assert layer.sessions == oracle(layer.at_rest)
    assert changes.after["events"].to_list() == [10]
    assert layer.reread_owners == []


@pytest.mark.parametrize(
    ("kind", "at", "values"),
    [
        (LOGIN, 45, {"user_id": 7}),
        (LOGOUT, 45, {"user_id": 7}),
        (VIEW, 45, {"product_category": "books"}),
        (VIEW, 0.5, ARTICLE),
        (CART, 1.5, ARTICLE),
        (CHECKOUT, 2.5, {}),
        (PURCHASE, 3.5, {"total_amount": Decimal("9.00")}),
        (PURCHASE, 4, {"total_amount": Decimal("9.00")}),
        (PAGE, -1, {}),
    ],
)
def test_what_may_move_something_is_read_again(kind: EventType, at: float, values: dict[str, Any]) -> None:
    layer = layer_with(*bought())
    layer.take(click(kind, int(at * MINUTE), 7, **values))
    assert layer.sessions == oracle(layer.at_rest)
    assert layer.reread_owners == ["device"]


@pytest.mark.parametrize("kind", [CHECKOUT, PURCHASE])
def test_a_checkout_or_purchase_that_may_move_any_category_is_read_again(kind: EventType) -> None:
    books = {**ARTICLE, "product_category": "books"}
    more = (
        click(VIEW, 40 * MINUTE, 80, **books),
        click(CART, 41 * MINUTE, 81, **books),
        click(CHECKOUT, 42 * MINUTE, 82),
    )
    layer = layer_with(*bought(), *(more if kind is PURCHASE else more[:2]))
    layer.take(click(kind, 45 * MINUTE, 99, total_amount=Decimal("9.00")))
    [session] = layer.sessions.values()
    assert session["category_steps"] == f'{{"books":{4 if kind is PURCHASE else 3},"toys":4}}'
    assert layer.reread_owners == ["device"]


def test_who_names_a_session_without_login_is_read_again() -> None:
    layer = layer_with(click(PAGE, 0, 1), click(PAGE, 2, 2, user_id=7))
    layer.take(click(PAGE, 1, 3, user_id=8))
    assert [row["user_id"] for row in layer.sessions.values()] == [8]
    assert layer.reread_owners == ["device"]


def test_an_event_for_a_session_before_the_last_is_read_again() -> None:
    layer = layer_with(click(PAGE, 0, 1), click(LOGOUT, 2, 2, user_id=7), click(PAGE, 3, 3))
    layer.take(click(PAGE, 1, 4))
    assert layer.sessions == oracle(layer.at_rest)
    assert layer.reread_owners == ["device"]


def test_events_within_and_behind_a_session_come_together() -> None:
    layer = layer_with(click(PAGE, 0, 1), click(PAGE, 2, 2))
    layer.take(click(PAGE, 1, 3), click(VIEW, 3, 4, **ARTICLE), click(PAGE, 99 * MINUTE, 5))
    assert sorted(row["events"] for row in layer.sessions.values()) == [1, 4]
    assert layer.sessions == oracle(layer.at_rest)
    assert layer.reread_owners == []


def test_an_event_within_a_session_that_was_logged_out_is_counted() -> None:
    layer = layer_with(click(PAGE, 0, 1), click(LOGOUT, 2, 2, user_id=7))
    layer.take(click(PAGE, 1, 3), click(PAGE, 3, 4))
    assert layer.sessions == oracle(layer.at_rest)


def test_one_event_of_several_that_may_move_something_has_all_read_again() -> None:
    layer = layer_with(click(PAGE, 0, 1), click(PAGE, 9, 2))
    layer.take(click(PAGE, 1, 3), click(LOGOUT, 2, 4, user_id=7), click(PAGE, 3, 5))
    assert layer.sessions == oracle(layer.at_rest)
    assert layer.reread_owners == ["device"]


def test_an_event_counted_by_the_same_micro_batch_is_not_counted_again() -> None:
    layer = layer_with(click(PAGE, 0, 1), click(PAGE, 9, 2))
    late = click(PAGE, 5, 3)
    layer.take(late)
    layer.restart()
    assert layer.changes([late]).after.is_empty()
