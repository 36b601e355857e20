"""Visits to the shop and the events they leave. Simulated, and every event says so.

Pure: chance, time and identity come in as arguments, so the same arguments give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import orjson

from concord.contracts.events import SCHEMA_VERSION, EventType

SITE = "https://shop.example.com"
REFERRERS = ("https://search.example.com/", "https://news.example.com/", "https://social.example.com/", None)
DEVICES = {
    "desktop": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "mobile": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile",
    "tablet": "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6",
}
SERVER = "server"

MOST_LINES_SHOWN = 3
"""Of a large order only so many articles are looked at and put into the cart by clicks."""
SHORTEST_THINK_SECONDS, LONGEST_THINK_SECONDS = 2, 40


@dataclass(frozen=True)
class Bought:
    """One article of an order or cart."""

    product_id: int
    category: str
    name: str
    quantity: int
    price: Decimal


@dataclass(frozen=True)
class Order:
    """An order as its clickstream sees it; ``number`` is the one its source gave it."""

    id: int
    number: str
    user_id: int | None
    is_cancelled: bool
    total: Decimal
    placed_at: datetime
    bought: tuple[Bought, ...]


@dataclass(frozen=True)
class Visitor:
    """A device, and who sits in front of it once that is known. A server has no device."""

    anonymous_id: str | None
    user_id: int | None
    device_type: str
    user_agent: str | None
    referrer: str | None = None

    @property
    def key(self) -> str:
        """Kafka key: a device never changes partition."""
        return self.anonymous_id if self.anonymous_id is not None else str(self.user_id)


@dataclass(frozen=True)
class Step:
    """One click: what happened, on which page, with which payload."""

    type: EventType
    page: str = "/"
    payload: Mapping[str, Any] | None = None


def device(rng: Random, anonymous_id: str, user_id: int | None) -> Visitor:
    """A visitor on a device drawn by chance."""
    kind = rng.choices(tuple(DEVICES), weights=(5, 4, 1))[0]
    return Visitor(anonymous_id, user_id, kind, DEVICES[kind], rng.choice(REFERRERS))


# --- what visitors do ---


def search(rng: Random, article: Bought) -> Step:
    word = rng.choice(article.name.lower().split() or [article.category])
    return Step(EventType.SEARCH, "/search", {"search_query": word[:100], "results_count": rng.randrange(200)})


def view(article: Bought) -> Step:
    return Step(EventType.PRODUCT_VIEW, f"/products/{article.product_id}", _article(article))


def add(article: Bought) -> Step:
    payload = {**_article(article), "quantity": article.quantity}
    return Step(EventType.ADD_TO_CART, f"/products/{article.product_id}", payload)


def remove(article: Bought) -> Step:
    return Step(EventType.REMOVE_FROM_CART, "/cart", {**_article(article), "quantity": article.quantity})


def checkout(cart_value: Decimal) -> Step:
    return Step(EventType.CHECKOUT_START, "/checkout", {"cart_value": _amount(cart_value)})


def purchase(order_id: int, total: Decimal) -> Step:
    return Step(EventType.PURCHASE, "/checkout/done", {"order_id": order_id, "total_amount": _amount(total)})


PAGE_VIEW = Step(EventType.PAGE_VIEW)
LOGIN = Step(EventType.LOGIN, "/login")
LOGOUT = Step(EventType.LOGOUT, "/logout")


def browsing(rng: Random, articles: Sequence[Bought]) -> Iterator[Step]:
    """Looking around: pages, a search now and then, articles."""
    yield PAGE_VIEW
    for article in articles:
        if rng.random() < 0.3:
            yield search(rng, article)
        yield view(article)


def filling_the_cart(rng: Random, wanted: Sequence[Bought], doubted: Bought | None = None) -> Iterator[Step]:
    """Each wanted article looked at and put into the cart; a doubted one is taken out again."""
    for article in wanted:
        yield view(article)
        if rng.random() < 0.2:
            yield Step(EventType.PAGE_VIEW, f"/categories/{article.category}")
        yield add(article)
    if doubted:
        yield from (view(doubted), add(doubted), remove(doubted))


def around_order(order: Order) -> Iterator[tuple[Visitor, Sequence[Step]]]:
    """The visits that a placed order implies, the buying one last; the same for the same order.

    A cancellation is a customer who logs in to ask for it: nothing is bought. An adjustment, whose
    total is zero or less, was nobody's click. Each visit has a device of its own, because replayed
    visits of one customer come without the days that lay between them.
    """
    rng = Random(order.number)
    visitor = device(rng, f"{order.user_id or 'guest'}-{order.number}", order.user_id)
    articles = [article for article in order.bought if article.quantity > 0 and article.price >= 0]
    if order.is_cancelled:
        if order.user_id:
            yield visitor, (LOGIN, Step(EventType.PAGE_VIEW, "/orders"), LOGOUT)
        return
    if order.total <= 0 or not articles:
        return
    if rng.random() < 0.3:
        other = replace(visitor, anonymous_id=f"{visitor.anonymous_id}-before", user_id=None)
        yield other, _abandoned(rng, articles)
    yield visitor, _bought(rng, order, articles)


def _abandoned(rng: Random, articles: Sequence[Bought]) -> tuple[Step, ...]:
    chosen = rng.choice(articles)
    return (*browsing(rng, articles[:MOST_LINES_SHOWN]), view(chosen), add(chosen))


def _bought(rng: Random, order: Order, articles: Sequence[Bought]) -> tuple[Step, ...]:
    shown = rng.sample(articles, min(MOST_LINES_SHOWN, len(articles)))
    doubted = rng.choice(articles) if rng.random() < 0.2 else None
    login = (LOGIN,) if order.user_id else ()
    logout = (LOGOUT,) if order.user_id and rng.random() < 0.5 else ()
    cart = filling_the_cart(rng, shown, doubted)
    paid = (checkout(order.total), purchase(order.id, order.total))
    return (PAGE_VIEW, search(rng, shown[0]), *login, *cart, *paid, *logout)


# --- events ---


@dataclass(frozen=True)
class Event:
    """One document, its identity, and its Kafka key."""

    event_id: str
    key: str
    document: Mapping[str, Any]

    def encoded(self) -> bytes:
        return orjson.dumps(self.document)


def event(
    event_id: UUID, step: Step, visitor: Visitor, knows_user: bool, occurred_at: datetime, properties: Mapping[str, Any]
) -> Event:
    """The document of one step. The user is known from the LOGIN on, never before."""
    identity = str(event_id)
    document = {
        "event_id": identity,
        "event_type": step.type,
        "schema_version": SCHEMA_VERSION,
        "user_id": visitor.user_id if knows_user else None,
        "anonymous_id": visitor.anonymous_id,
        "occurred_at": as_text(occurred_at),
        "received_at": as_text(occurred_at + timedelta(milliseconds=5)),
        "device_type": visitor.device_type,
        "user_agent": visitor.user_agent,
        "page_url": f"{SITE}{step.page}",
        "referrer": visitor.referrer,
        "properties": {"simulated": True, **properties},
        **(step.payload or {}),
    }
    return Event(identity, visitor.key, document)


def replayed(order: Order, now: datetime) -> list[Event]:
    """The events around a historical order, as if its last click were now.

    Their shape in time is kept; ``properties.historical_at`` says when it would have been. Identities
    depend on the order alone, so a replay that was broken off repeats events and never adds any.
    """
    visits = list(around_order(order))
    rng = Random(f"times {order.number}")
    clicks = [(visitor, index, step, steps) for visitor, steps in visits for index, step in enumerate(steps)]
    pauses = [rng.randint(SHORTEST_THINK_SECONDS, LONGEST_THINK_SECONDS) for _ in clicks]
    before_the_end = sum(pauses)
    events: list[Event] = []
    for pause, (visitor, index, step, steps) in zip(pauses, clicks, strict=True):
        before_the_end -= pause
        ago = timedelta(seconds=before_the_end)
        knows_user = any(earlier.type is EventType.LOGIN for earlier in steps[: index + 1])
        properties = {"historical_at": as_text(order.placed_at - ago), "order_number": order.number}
        identity = UUID(int=Random(f"{order.number} {len(events)}").getrandbits(128), version=4)
        events.append(event(identity, step, visitor, knows_user, now - ago, properties))
    return events


def as_text(instant: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _article(article: Bought) -> dict[str, Any]:
    return {"product_id": article.product_id, "category": article.category, "price": _amount(article.price)}


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}"
