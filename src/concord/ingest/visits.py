"""Visitors of the synthetic shop: many at once, each going on a click at a time. Pure."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from random import Random
from uuid import UUID

from concord.contracts.events import EventType
from concord.ingest.clickstream import (
    LOGIN,
    LOGOUT,
    PAGE_VIEW,
    SERVER,
    Event,
    Step,
    Visitor,
    add,
    browsing,
    checkout,
    device,
    event,
    filling_the_cart,
    purchase,
    view,
)
from concord.ingest.shop import Cart, PlacedOrder, Shop

MOST_WAITING = 100
"""Visitors who wait at the checkout for their order; whoever comes later leaves the cart behind."""
SHARE_OF_NEWCOMERS = 0.2
"""Of clicks, as long as there is room: the shop fills while the first visitors go on."""
SHARE_OF_SERVER_EVENTS = 0.5
"""Of orders that no visitor placed, so many are told by a server, which has no device."""


class Intent(Enum):
    """What a visitor has in mind, with its share of visits."""

    BROWSE = 45
    ABANDON = 30
    BUY = 25


@dataclass(eq=False)
class Visit:
    """One visit under way. ``place`` is where it stands among the active ones."""

    visitor: Visitor
    steps: Iterator[Step]
    cart: Cart
    knows_user: bool = False
    place: int = -1


class Visits:
    """All visits of one run, ``at_once`` at a time; the run's name is in every event."""

    def __init__(self, rng: Random, identities: Random, shop: Shop, name: str, at_once: int) -> None:
        self._rng = rng
        self._identities = identities
        self._shop = shop
        self._name = name
        self._at_once = at_once
        self._properties = {"run": name}
        self._devices = 0
        self._active: list[Visit] = []
        self._waiting: deque[Visit] = deque()
        self._ready: deque[tuple[Visit, Step]] = deque()

    def next_event(self, at: datetime) -> Event:
        """The next click of somebody. A purchase comes as soon as its order has been placed."""
        if self._ready:
            visit, step = self._ready.popleft()
            return self._event(visit, step, at)
        while True:
            visit = self._somebody()
            for click in visit.steps:
                return self._event(visit, click, at)
            self._leave(visit)

    def stray_event(self, at: datetime) -> Event:
        """A page view of a device that is never seen again: it disturbs nobody's session."""
        return self._event(self._new_visit(Intent.BROWSE), PAGE_VIEW, at)

    def event_of(self, user_id: int, at: datetime) -> Event:
        """A user without a device who never leaves: looks at something, or puts it into the cart."""
        step = self._rng.choice((view, add))(self._shop.random_articles(1)[0])
        user = Visitor(None, user_id, SERVER, None)
        return self._event(Visit(user, iter(()), self._shop.random_cart(), knows_user=True), step, at)

    def waiting_cart(self) -> Cart | None:
        """The cart of whoever waits longest at the checkout."""
        return self._waiting[0].cart if self._waiting else None

    def placed(self, order: PlacedOrder, cart: Cart) -> None:
        """The order of this cart exists now: its PURCHASE may be told."""
        step = purchase(order.id, order.total)
        if self._waiting and self._waiting[0].cart is cart:
            visit = self._enter(self._waiting.popleft())
            visit.steps = iter((LOGOUT,) if visit.knows_user and self._rng.random() < 0.5 else ())
            self._ready.append((visit, step))
        elif order.user_id and self._rng.random() < SHARE_OF_SERVER_EVENTS:
            server = Visitor(None, order.user_id, SERVER, None)
            self._ready.append((Visit(server, iter(()), cart, knows_user=True), step))

    def _somebody(self) -> Visit:
        wants_more = len(self._active) < self._at_once and self._rng.random() < SHARE_OF_NEWCOMERS
        if wants_more or not self._active:
            return self._enter(self._new_visit(self._intent()))
        return self._active[self._rng.randrange(len(self._active))]

    def _enter(self, visit: Visit) -> Visit:
        visit.place = len(self._active)
        self._active.append(visit)
        return visit

    def _leave(self, visit: Visit) -> None:
        """The last one takes the place of the one who goes."""
        last = self._active.pop()
        if last is not visit:
            last.place = visit.place
            self._active[visit.place] = last

    def _intent(self) -> Intent:
        return self._rng.choices(tuple(Intent), weights=[intent.value for intent in Intent])[0]

    def _new_visit(self, intent: Intent) -> Visit:
        self._devices += 1
        cart = self._shop.random_cart()
        visitor = device(self._rng, f"{self._name}-{self._devices}", cart.user_id)
        return Visit(visitor, self._script(intent, cart), cart)

    def _script(self, intent: Intent, cart: Cart) -> Iterator[Step]:
        """Ends at the checkout for those who buy; what follows is in the order's hands."""
        yield from browsing(self._rng, self._shop.random_articles(3))
        logs_in = cart.user_id is not None and self._rng.random() < 0.7
        if logs_in:
            yield LOGIN
        if intent is Intent.BROWSE:
            if logs_in and self._rng.random() < 0.3:
                yield LOGOUT
            return
        doubted = self._shop.random_articles(1)[0] if self._rng.random() < 0.2 else None
        yield from filling_the_cart(self._rng, cart.articles, doubted)
        if intent is Intent.BUY:
            yield checkout(sum((article.price * article.quantity for article in cart.articles), Decimal("0.00")))

    def _event(self, visit: Visit, step: Step, at: datetime) -> Event:
        visit.knows_user = visit.knows_user or step.type is EventType.LOGIN
        identity = UUID(int=self._identities.getrandbits(128), version=4)
        made = event(identity, step, visit.visitor, visit.knows_user, at, self._properties)
        if step.type is EventType.CHECKOUT_START:
            self._wait_for_order(visit)
        return made

    def _wait_for_order(self, visit: Visit) -> None:
        self._leave(visit)
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(visit)
