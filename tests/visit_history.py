"""Visits beside a shop's life: rows of RAW.events, with everything that sessions may depend on.

Devices that several users share, servers without a device, pauses of exactly 30 minutes, events that come days
late or leave out what the catalogue knows, users and products that the shop does not have (yet).
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from concord.contracts.events import PAYLOADS, RAW_EVENTS, REQUIRES_USER, EventType
from concord.contracts.names import EVENTS_TOPIC, TOPIC_PARTITIONS
from concord.contracts.position import TopicPartition

Row = dict[str, Any]

DEVICES = ("ännchen's phone", "kiosk", "laptop", "tablet", None)
PAUSES = (0, 1, 40_000, 300_000, 1_799_999, 1_800_000, 1_800_001, 4_000_000)
"""Milliseconds."""
LINKS = (
    ("https://shop.example.com/", None),
    ("https://shop.example.com/?utm_medium=cpc&utm_source=x", "https://news.example.com/a"),
    ("https://shop.example.com/p?utm_source=Google#utm_medium=email", ""),
    ("https://shop.example.com/p?a=1&utm_medium=unheard", "https://www.google.de/search?q=a"),
    ("https://shop.example.com/p?gclid=1", None),
    ("https://shop.example.com/p?gclid=&b=1", " \t\n"),
    ("https://shop.example.com/p", "https://user@mail.google.com/inbox"),
    ("https://other.example.org/p", "https://other.example.org/q"),
    (None, "android-app://com.example/"),
    ("https://shop.example.com/p?utm_medium=email&utm_medium=social", "https://m.facebook.com/"),
    ("no link", "not one either"),
)
KINDS = tuple(EventType)
WEIGHTS = (4, 8, 2, 6, 2, 4, 4, 2, 1)
JOURNEY = (
    *(EventType.PRODUCT_VIEW, EventType.ADD_TO_CART, EventType.SEARCH, EventType.PRODUCT_VIEW, EventType.ADD_TO_CART),
    *(EventType.CHECKOUT_START, EventType.LOGIN, EventType.PURCHASE),
)
"""To the end of the funnel, if no pause is too long."""


@dataclass
class VisitHistory:
    """Events so far, in the order in which they came."""

    seed: int
    rows: list[Row] = field(default_factory=list)
    offsets: dict[TopicPartition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"visits {self.seed}")

    def live(self, day: date, users: Sequence[int], products: Sequence[int], visits: int = 4) -> None:
        """A day's visits; some are told of days later."""
        for _ in range(visits):
            self.visit(day, users, products, days_late=self.dice.choice((0, 0, 0, 0, 2)))

    def visit(self, day: date, users: Sequence[int], products: Sequence[int], days_late: int = 0) -> None:
        """A device's events, each a while after the one before it."""
        device = self.dice.choice(DEVICES)
        at = datetime.combine(day - timedelta(days=days_late), time(self.dice.randint(0, 23)), UTC)
        at_random = self.dice.choices(KINDS, WEIGHTS, k=self.dice.randint(1, 9))
        for kind in self.dice.choice((JOURNEY, at_random)):
            at += timedelta(milliseconds=self.dice.choice(PAUSES))
            self.come(self.event(kind, device, at, users, products), days_late)

    def event(
        self, kind: EventType, device: str | None, at: datetime, users: Sequence[int], products: Sequence[int]
    ) -> Row:
        must_name = device is None or kind in REQUIRES_USER
        user = self.dice.choice((*users, 999)) if must_name or self.dice.random() < 0.2 else None
        page_url, referrer = self.dice.choice(LINKS)
        named = {
            "event_id": str(uuid.UUID(int=self.dice.getrandbits(128))),
            "event_type": str(kind),
            "schema_version": 1,
            "user_id": user,
            "anonymous_id": device,
            "occurred_at": at,
            "device_type": self.dice.choice(("desktop", "mobile", None)),
            "page_url": page_url,
            "referrer": referrer,
        }
        return {**dict.fromkeys(RAW_EVENTS.names), **named, **self._payload(kind, products)}

    def come(self, event: Row, days_late: int = 0) -> None:
        """Kafka takes the event. A device keeps to its partition; offsets have gaps."""
        owner = event["anonymous_id"] or str(event["user_id"])
        place = TopicPartition(EVENTS_TOPIC, sum(owner.encode()) % TOPIC_PARTITIONS)
        self.offsets[place] = self.offsets.get(place, -1) + self.dice.randint(1, 3)
        delay = timedelta(days=days_late, milliseconds=self.dice.choice((0, 20, 1_800_000)))
        position = {"_topic": place.topic, "_partition": place.partition, "_offset": self.offsets[place]}
        self.rows.append({**event, **position, "_timestamp": event["occurred_at"] + delay})

    def _payload(self, kind: EventType, products: Sequence[int]) -> Row:
        """What the type carries; what it need not carry is left out now and then."""
        values = {
            "product_id": self.dice.choice((*products, 998)),
            "category": self.dice.choice(("books", "games", "Ünknown", None, None)),
            "price": self.dice.choice((Decimal("9.99"), Decimal("0.01"), None, None)),
            "quantity": self.dice.randint(1, 5),
            "cart_value": None,
            "order_id": self.dice.randint(1, 50),
            "total_amount": Decimal(self.dice.randint(1, 9_999)) / 100,
            "search_query": "lamp",
            "results_count": self.dice.choice((0, 3)),
        }
        return {column.name: values[column.name] for column in PAYLOADS[kind]}
