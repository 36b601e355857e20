"""Each sentence of the definition of a session, by example, in one micro-batch and in one per event."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from concord.chaos.oracle import oracle
from concord.contracts.events import EventType
from concord.rules.sessions import INACTIVITY_MS
from tests.session_events import MINUTE, NOON, SECOND, Event, SpeedLayer, click, event_id

PAGE, VIEW, CART, UNCART, CHECKOUT, PURCHASE = (
    EventType.PAGE_VIEW,
    EventType.PRODUCT_VIEW,
    EventType.ADD_TO_CART,
    EventType.REMOVE_FROM_CART,
    EventType.CHECKOUT_START,
    EventType.PURCHASE,
)
LOGIN, LOGOUT, SEARCH = EventType.LOGIN, EventType.LOGOUT, EventType.SEARCH

Told = Callable[..., list[dict[str, Any]]]


def at_once(*events: Event) -> SpeedLayer:
    layer = SpeedLayer()
    layer.take(*events)
    return layer


def one_by_one(*events: Event) -> SpeedLayer:
    layer = SpeedLayer()
    for event in events:
        layer.take(event)
    return layer


def backwards(*events: Event) -> SpeedLayer:
    return one_by_one(*reversed(events))


@pytest.fixture(params=[at_once, one_by_one, backwards])
def told(request: pytest.FixtureRequest) -> Told:
    """Sessions in order of their beginning, once the oracle has agreed."""

    def sessions(*events: Event) -> list[dict[str, Any]]:
        made = request.param(*events).sessions
        assert made == oracle(events)
        return sorted(made.values(), key=lambda row: (row["owner"], row["started_at"], row["first_event_id"]))

    return sessions


def test_a_pause_of_exactly_30_minutes_joins(told: Told) -> None:
    assert len(told(click(PAGE, 0, 1), click(PAGE, INACTIVITY_MS, 2))) == 1


def test_a_pause_of_a_millisecond_more_separates(told: Told) -> None:
    assert len(told(click(PAGE, 0, 1), click(PAGE, INACTIVITY_MS + 1, 2))) == 2


def test_a_session_has_its_first_and_last_event(told: Told) -> None:
    [session] = told(click(PAGE, 5, 1, device_type="tablet"), click(PAGE, 9, 2, device_type="mobile"))
    assert (session["started_at"], session["ended_at"]) == (instant(5), instant(9))
    assert (session["first_event_id"], session["last_event_id"]) == (event_id(1), event_id(2))
    assert session["device_type"] == "tablet"


def test_events_of_one_millisecond_are_ordered_by_the_text_of_their_ids(told: Told) -> None:
    [session] = told(click(CART, 0, 1, product_category="a"), click(VIEW, 0, 2, product_category="a"))
    assert session["funnel_step"] == 1


def test_two_devices_have_sessions_of_their_own(told: Told) -> None:
    assert [s["owner"] for s in told(click(PAGE, 0, 1, "a"), click(PAGE, 0, 2, "b"))] == ["a", "b"]


def test_events_without_a_device_make_sessions_of_their_user(told: Told) -> None:
    sessions = told(click(PURCHASE, 0, 1, None, user_id=7, total_amount=Decimal(1)), click(PAGE, 0, 2, user_id=7))
    assert [session["owner"] for session in sessions] == ["device", "user:7"]


def test_a_logout_belongs_to_the_session_it_ends(told: Told) -> None:
    ended, next_one = told(click(PAGE, 0, 1), click(LOGOUT, 1, 2, user_id=7), click(PAGE, 1, 3))
    assert (ended["events"], ended["is_logged_out"], next_one["events"], next_one["is_logged_out"]) == (
        2,
        True,
        1,
        False,
    )


def test_a_logout_before_any_login_ends_a_session_too(told: Told) -> None:
    assert [s["logouts"] for s in told(click(LOGOUT, 0, 1, user_id=7), click(LOGOUT, 1, 2, user_id=7))] == [1, 1]


def test_a_login_names_the_user_of_what_came_before_it(told: Told) -> None:
    [session] = told(click(PAGE, 0, 1, user_id=6, customer_tier="gold"), click(LOGIN, 1, 2, user_id=7))
    assert (session["user_id"], session["customer_tier"], session["has_login"]) == (7, None, True)


def test_without_a_login_the_first_user_named_is_the_sessions(told: Told) -> None:
    named = click(PAGE, 1, 2, user_id=6, customer_tier="silver"), click(PAGE, 2, 3, user_id=7, customer_tier="gold")
    [session] = told(click(PAGE, 0, 1), *named)
    assert (session["user_id"], session["customer_tier"], session["has_login"]) == (6, "silver", False)


def test_the_tier_is_the_one_that_the_first_login_carries(told: Told) -> None:
    first, second = (click(LOGIN, n, n, user_id=7, customer_tier=tier) for n, tier in ((1, "silver"), (2, "gold")))
    assert [session["customer_tier"] for session in told(first, second)] == ["silver"]


def test_a_login_of_the_same_user_goes_on(told: Told) -> None:
    assert len(told(click(LOGIN, 0, 1, user_id=7), click(PAGE, 1, 2), click(LOGIN, 2, 3, user_id=7))) == 1


def test_a_login_of_another_user_begins_a_session(told: Told) -> None:
    sessions = told(click(LOGIN, 0, 1, user_id=7), click(PAGE, 1, 2), click(LOGIN, 2, 3, user_id=8))
    assert [(session["user_id"], session["events"]) for session in sessions] == [(7, 2), (8, 1)]


def test_a_login_after_another_users_event_without_login_goes_on(told: Told) -> None:
    assert len(told(click(PAGE, 0, 1, user_id=6), click(LOGIN, 1, 2, user_id=7))) == 1


def test_a_login_of_another_session_says_nothing_of_this_one(told: Told) -> None:
    before = click(LOGIN, 0, 1, user_id=7), click(LOGOUT, 1, 2, user_id=7)
    sessions = told(*before, click(PAGE, 2, 3), click(LOGIN, 3, 4, user_id=8))
    assert [(session["user_id"], session["events"]) for session in sessions] == [(7, 2), (8, 2)]


def test_users_who_take_turns_have_a_session_each_time(told: Told) -> None:
    sessions = told(*(click(LOGIN, n, n, user_id=user) for n, user in enumerate([7, 8, 8, 7])))
    assert [(session["user_id"], session["events"]) for session in sessions] == [(7, 1), (8, 2), (7, 1)]


def test_the_funnel_is_done_in_order(told: Told) -> None:
    types = (VIEW, CART, CHECKOUT, PURCHASE)
    [session] = told(*(click(kind, n * SECOND, n, total_amount=Decimal(2)) for n, kind in enumerate(types)))
    times = [session[name] for name in ("viewed_at", "carted_at", "checkout_at", "purchased_at")]
    assert session["funnel_step"] == 4
    assert times == [instant(n * SECOND) for n in range(4)]


def test_what_comes_before_its_turn_does_not_count_as_a_step(told: Told) -> None:
    types = (PURCHASE, CHECKOUT, CART, VIEW, CHECKOUT, CART)
    [session] = told(*(click(kind, n, n, total_amount=Decimal(2)) for n, kind in enumerate(types)))
    assert (session["funnel_step"], session["carted_at"], session["checkout_at"]) == (2, instant(5), None)
    assert (session["checkouts"], session["purchases"], session["cart_adds"]) == (2, 1, 2)


def test_a_category_has_views_and_carts_of_its_own_and_the_sessions_checkout_and_purchase(told: Told) -> None:
    [session] = told(
        click(VIEW, 0, 1, product_category="toys"),
        click(VIEW, 1, 2, product_category="books"),
        click(CART, 2, 3, product_category="books"),
        click(CART, 3, 4, product_category="games"),
        click(VIEW, 4, 5, product_category=None),
        click(CHECKOUT, 5, 6),
        click(PURCHASE, 6, 7, total_amount=Decimal(3)),
    )
    assert session["category_steps"] == '{"books":4,"toys":1}'


def test_category_names_are_any_text(told: Told) -> None:
    [session] = told(*(click(VIEW, n, n, product_category=name) for n, name in enumerate(['"\\', "ä,:{}", ""])))
    assert session["category_steps"] == '{"":1,"\\"\\\\":1,"ä,:{}":1}'


def test_the_cart_is_worth_what_was_put_in_less_what_was_taken_out(told: Told) -> None:
    [session] = told(
        click(CART, 0, 1, quantity=3, product_price=Decimal("1.10")),
        click(UNCART, 1, 2, quantity=1, product_price=Decimal("1.10")),
        click(CART, 2, 3, quantity=9, product_price=None),
        click(CART, 3, 4, quantity=None, product_price=Decimal("5.00")),
        click(VIEW, 4, 5, product_price=Decimal("7.00")),
    )
    assert session["cart_value"] == Decimal("2.20")


def test_a_cart_may_hold_more_than_64_bits_of_cents() -> None:
    dear = {"quantity": 1_000_000, "product_price": Decimal("99999999.99")}
    events = [click(CART, n, n, **dear) for n in range(1_000)]
    layer = at_once(*events[:500])
    layer.take(*events[500:])
    [session] = layer.sessions.values()
    assert session["cart_value"] == Decimal("99999999990000000.00") > 2**63 / 100


def test_purchases_are_added_up(told: Told) -> None:
    amounts = (Decimal("99999999.99"), Decimal("0.02"))
    [session] = told(*(click(PURCHASE, n, n, total_amount=amount) for n, amount in enumerate(amounts)))
    assert session["purchase_value"] == Decimal("100000000.01")


def test_searches_without_result_are_counted(told: Told) -> None:
    [session] = told(*(click(SEARCH, n, n, results_count=found) for n, found in enumerate([0, 3, 0])))
    assert (session["searches"], session["searches_without_result"]) == (3, 2)


def test_the_first_event_says_where_the_visit_came_from(told: Told) -> None:
    referred = ("https://news.example.com/", "https://search.example.com/")
    [session] = told(*(click(PAGE, n, n, referrer=link) for n, link in enumerate(referred)))
    assert session["traffic_source"] == "news"


def test_a_session_of_hours_is_one_session(told: Told) -> None:
    [session] = told(*(click(PAGE, n * 30 * MINUTE, n) for n in range(20)))
    assert session["ended_at"] - session["started_at"] == timedelta(hours=9, minutes=30)


def instant(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=NOON + at)
