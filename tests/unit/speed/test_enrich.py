"""Events get tier, category and price of the publication that their micro-batch pinned."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from concord.contracts.behaviour import ENRICHED_EVENTS
from concord.contracts.enrichment import CATALOGUE, USER_TIERS
from concord.contracts.events import EVENTS
from concord.dialects.arrow import arrow_schema
from concord.errors import Misconfigured
from concord.speed.batch_token import BatchToken
from concord.speed.enrich import Enrichment, enrichment, pinned
from tests.factories import row

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def published(tiers: Mapping[int, str], catalogue: Mapping[int, tuple[str, str]]) -> Enrichment:
    users = [{"publication": 1, "user_id": user, "customer_tier": tier} for user, tier in tiers.items()]
    products = [
        {"publication": 1, "product_id": product, "product_category": category, "product_price": Decimal(price)}
        for product, (category, price) in catalogue.items()
    ]
    return Enrichment(
        pa.Table.from_pylist(users, schema=arrow_schema(USER_TIERS)),
        pa.Table.from_pylist(products, schema=arrow_schema(CATALOGUE)),
    )


def events(*named: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([row(EVENTS, **each) for each in named], schema=arrow_schema(EVENTS))


def test_known_users_have_their_tier_new_ones_the_lowest_and_guests_none() -> None:
    came = events({"user_id": 7}, {"user_id": 8}, {"user_id": None})
    applied = published({7: "gold"}, {}).applied(came)
    assert applied["customer_tier"].to_pylist() == ["gold", "bronze", None]


def test_what_the_producer_sent_wins_over_the_catalogue() -> None:
    catalogue = published({}, {5: ("gifts", "2.50")})
    sent = {"product_id": 5, "category": "toys", "price": Decimal("9.99")}
    silent = {"product_id": 5, "category": None, "price": None}
    unknown = {"product_id": 6, "category": None, "price": None}
    applied = catalogue.applied(events(sent, silent, unknown))
    assert applied["product_category"].to_pylist() == ["toys", "gifts", None]
    assert applied["product_price"].to_pylist() == [Decimal("9.99"), Decimal("2.50"), None]
    assert applied["category"].to_pylist() == ["toys", None, None]


def test_rows_have_the_columns_of_the_enriched_table_even_without_a_publication() -> None:
    applied = published({}, {}).applied(events({"user_id": 7}))
    assert applied.column_names == list(ENRICHED_EVENTS.names)
    assert applied["customer_tier"].to_pylist() == ["bronze"]


class Store:
    """Publications and pins, as the store holds them."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self.pins: dict[int, int] = {}

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        if params is None:
            return [(self.newest,)]
        pin = self.pins.get(params["id"])
        return [] if pin is None else [(pin,)]

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> int:
        assert table in token
        for pin in rows.to_pylist():
            self.pins[pin["batch_id"]] = pin["publication"]
        return rows.num_rows

    def query_arrow(self, sql: str, params: Mapping[str, Any]) -> pa.Table:
        return pa.table({"publication": pa.array([], pa.int64())})


def test_a_second_run_of_a_batch_sees_the_publication_of_the_first() -> None:
    store, token = Store(newest=4), BatchToken("q", "c", 17)
    assert pinned(store, token, NOON) == 4  # type: ignore[arg-type]
    store.newest = 5
    assert pinned(store, token, NOON) == 4  # type: ignore[arg-type]
    assert pinned(store, BatchToken("q", "c", 18), NOON) == 5  # type: ignore[arg-type]


def test_a_pinned_publication_that_is_gone_stops_the_stream_instead_of_changing_the_past() -> None:
    with pytest.raises(Misconfigured, match="publication 3 of tiers and catalogue is gone"):
        enrichment(Store(newest=9), 3)  # type: ignore[arg-type]
