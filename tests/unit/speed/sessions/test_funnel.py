"""What changes of sessions add to the funnels of a minute."""

from decimal import Decimal

from concord.contracts.behaviour import FUNNEL_CATEGORY_MINUTES, FUNNEL_MINUTES
from concord.contracts.events import EventType
from concord.speed.sessions.funnel import deltas
from tests.session_events import MINUTE, SECOND, SpeedLayer, click

PAGE, VIEW, SEARCH, LOGIN = EventType.PAGE_VIEW, EventType.PRODUCT_VIEW, EventType.SEARCH, EventType.LOGIN
CART, CHECKOUT, PURCHASE = EventType.ADD_TO_CART, EventType.CHECKOUT_START, EventType.PURCHASE


def test_deltas_have_the_columns_of_the_contract() -> None:
    minutes, categories = deltas(SpeedLayer().take(click(VIEW, 0, 1, product_category="toys")))
    assert tuple(minutes.columns) == FUNNEL_MINUTES.names
    assert tuple(categories.columns) == FUNNEL_CATEGORY_MINUTES.names


def test_a_session_counts_in_the_minute_it_started_even_if_it_grows_later() -> None:
    layer = SpeedLayer()
    layer.take(click(PAGE, 59 * SECOND, 1))
    minutes, _ = deltas(layer.take(click(VIEW, 5 * MINUTE, 2)))
    assert [row["minute"].minute for row in minutes.to_dicts()] == [0]
    assert minutes.select("sessions", "viewed", "carted").row(0) == (0, 1, 0)


def test_a_session_without_a_tier_counts_as_a_guests_until_a_login_names_it() -> None:
    layer = SpeedLayer()
    layer.take(click(PAGE, 0, 1))
    minutes, _ = deltas(layer.take(click(LOGIN, 1, 2, user_id=7, customer_tier="gold")))
    assert minutes.select("customer_tier", "sessions").rows() == [("gold", 1), ("guest", -1)]


def test_a_login_takes_all_that_its_session_did_before_to_the_tier() -> None:
    layer = SpeedLayer()
    layer.take(click(PAGE, 0, 1), click(SEARCH, 1, 2, results_count=0), click(VIEW, 2, 3), click(PAGE, 0, 4, "other"))
    minutes, _ = deltas(layer.take(click(LOGIN, 3, 5, user_id=7, customer_tier="gold")))
    done = ("events", "page_views", "product_views", "searches", "searches_without_result", "cart_adds")
    assert minutes.select("customer_tier", *done).rows() == [
        ("gold", 4, 1, 1, 1, 1, 0),
        ("guest", -3, -1, -1, -1, -1, 0),
    ]


def test_a_cart_is_abandoned_until_its_session_buys() -> None:
    layer = SpeedLayer()
    cart = {"quantity": 2, "product_price": Decimal("9.99")}
    minutes, _ = deltas(layer.take(click(VIEW, 0, 1), click(CART, 1, 2, **cart)))
    assert minutes["abandoned_value"].to_list() == [Decimal("19.98")]
    minutes, _ = deltas(layer.take(click(CHECKOUT, 2, 3)))
    assert minutes["abandoned_value"].to_list() == [Decimal(0)]
    minutes, _ = deltas(layer.take(click(PURCHASE, 3, 4, total_amount=Decimal("19.98"))))
    assert minutes.select("purchased", "cart_value", "abandoned_value").rows() == [(1, Decimal(0), Decimal("-19.98"))]


def test_a_withdrawn_session_is_taken_back() -> None:
    layer = SpeedLayer()
    layer.take(click(VIEW, 5 * MINUTE, 1, product_category="toys"))
    minutes, categories = deltas(layer.take(click(PAGE, 0, 2)))
    assert [(row["minute"].minute, row["sessions"], row["viewed"]) for row in minutes.to_dicts()] == [
        (0, 1, 1),
        (5, -1, -1),
    ]
    assert [(row["minute"].minute, row["viewed"]) for row in categories.to_dicts()] == [(0, 1), (5, -1)]


def test_what_moves_no_funnel_is_counted_as_done_and_not_written_by_category() -> None:
    layer = SpeedLayer()
    layer.take(click(VIEW, 0, 1, product_category="toys"))
    minutes, categories = deltas(layer.take(click(PAGE, 1, 2)))
    assert minutes.select("sessions", "viewed", "events", "page_views", "product_views").rows() == [(0, 0, 1, 1, 0)]
    assert categories.is_empty()


def test_money_is_taken_over_exactly() -> None:
    layer = SpeedLayer()
    cart = {"quantity": 1_000_000, "product_price": Decimal("99999999.99")}
    layer.take(*(click(CART, n, n, f"device {n}", **cart) for n in range(1_000)))
    minutes, _ = deltas(layer.take(click(CART, 5, 2_000, "device 0", **cart)))
    assert minutes["cart_value"].to_list() == [Decimal("99999999990000.00")]
    place = FUNNEL_MINUTES.names.index("cart_value") - len(FUNNEL_MINUTES.key)
    assert [totals[place] for totals in layer.minutes.values()] == [1001 * Decimal("99999999990000.00")]
