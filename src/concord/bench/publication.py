"""What a batch would have published of the recorded shop: tiers of its customers, its catalogue. Seeded.

The same seed makes the shop in which visits are recorded, so what an event must be enriched with is known without
asking the store that is checked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa

from concord.contracts.behaviour import TIERS
from concord.contracts.enrichment import CATALOGUE, DEFAULT_TIER, ENRICHMENTS, USER_TIERS
from concord.contracts.model import Dataset
from concord.contracts.tables import PRODUCTS
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.ingest.changes import Change, ChangeKind, Insert, Row
from concord.ingest.shop import Shop

OPENED_AT = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS, ARTICLES = 20_000, 2_000
SHARES = (60, 25, 12, 3)
"""Of customers by tier, in percent, from the lowest tier on."""
REPRICED = ARTICLES // 10
"""Prices that have changed since the publication: events that name them say otherwise than the catalogue."""
NUMBER = 1
NAME = "bench"

Article = tuple[str, Decimal]
"""Category and price."""


@dataclass(frozen=True)
class Publication:
    """Tier of every customer, and category and price of every article."""

    tiers: Mapping[int, str]
    catalogue: Mapping[int, Article]

    def added(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """What an event's row must have beside what was sent: tier, category, price."""
        category, price = self.catalogue.get(document.get("product_id") or 0, (None, None))
        return {
            "customer_tier": self.tier(document["user_id"]),
            "product_category": document.get("category") or category,
            "product_price": document.get("price") or price,
        }

    def tier(self, user_id: int | None) -> str | None:
        """Of a customer; whoever is not known has the lowest one, a guest none."""
        return None if user_id is None else self.tiers.get(user_id, DEFAULT_TIER)

    def notes(self) -> dict[str, Any]:
        """Customers by tier, and how many articles."""
        return {"customers_by_tier": dict(Counter(self.tiers.values())), "articles": len(self.catalogue)}

    def publish(self, store: ClickHouse) -> None:
        """Hand it to the speed layer as a batch does. Only where nothing else is published: it is number 1."""
        above = {user: tier for user, tier in self.tiers.items() if tier != DEFAULT_TIER}
        tiers = [{"user_id": user, "customer_tier": tier} for user, tier in above.items()]
        articles = [
            {"product_id": article, "product_category": category, "product_price": price}
            for article, (category, price) in self.catalogue.items()
        ]
        mark = {"batch_id": NAME, "users": len(tiers), "products": len(articles), "written_at": OPENED_AT}
        for dataset, rows in ((USER_TIERS, tiers), (CATALOGUE, articles), (ENRICHMENTS, [mark])):
            _insert(store, dataset, rows)


def _insert(store: ClickHouse, dataset: Dataset, rows: Sequence[Row]) -> None:
    numbered = [{"publication": NUMBER, **row} for row in rows]
    table = pa.Table.from_pylist(numbered, schema=arrow_schema(dataset))
    store.insert_arrow(dataset.name, table, f"{dataset.name}|{NAME}")


class _Counting:
    """Ids from 1 on, per table."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()

    def next(self, table: Dataset) -> int:
        self._last[table.name] += 1
        return self._last[table.name]


def opened(seed: int) -> tuple[Shop, Publication]:
    """The shop in which visits are recorded, and what was published before some of its prices changed."""
    shop = Shop(Random(f"{seed} shop"), _Counting(), NAME)
    catalogue = {
        row["id"]: (row["category"], row["price"])
        for change in shop.opening(CUSTOMERS, ARTICLES, OPENED_AT)
        for row in _articles(change)
    }
    for _ in range(REPRICED):
        shop.change(ChangeKind.REPRICE, OPENED_AT)
    return shop, Publication(_tiers(seed), catalogue)


def publication(seed: int) -> Publication:
    """What was published of the shop of this seed."""
    return opened(seed)[1]


def _articles(change: Change) -> Sequence[Row]:
    return [
        row for write in change.writes if isinstance(write, Insert) and write.table is PRODUCTS for row in write.rows
    ]


def _tiers(seed: int) -> dict[int, str]:
    drawn = Random(f"{seed} tiers").choices(TIERS, weights=SHARES, k=CUSTOMERS)
    return dict(enumerate(drawn, start=1))
