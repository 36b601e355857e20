"""The newest publication's tiers and catalogue reach the speed layer once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from concord.batch.hand_over import hand_over
from concord.contracts.position import Position, Publication
from tests.speed_store import SpeedStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUBLISHED = [Publication(name, Position(), NOON, NOON) for name in ("000001-a", "000002-b")]


class Warehouse:
    """Two customers worth naming and one product, in Snowflake's capitals."""

    def records(self, statement: str) -> list[dict[str, Any]]:
        if "USERS_ENHANCED" in statement:
            return [{"USER_ID": 1, "CUSTOMER_TIER": "gold"}, {"USER_ID": 2, "CUSTOMER_TIER": "silver"}]
        return [{"PRODUCT_ID": 9, "PRODUCT_CATEGORY": "gifts", "PRODUCT_PRICE": Decimal("1.50")}]


def test_the_row_that_makes_a_publication_count_comes_last() -> None:
    store = SpeedStore()
    assert hand_over(Warehouse(), store, PUBLISHED, NOON) == 2  # type: ignore[arg-type]
    assert list(store.tables) == ["user_tiers", "catalogue", "enrichments"]
    assert store.tables["enrichments"][0] | {"written_at": None} == {
        "publication": 2,
        "batch_id": "000002-b",
        "users": 2,
        "products": 1,
        "written_at": None,
    }
    assert [row["publication"] for row in store.tables["user_tiers"]] == [2, 2]


def test_a_publication_that_is_there_is_not_sent_again() -> None:
    store = SpeedStore()
    hand_over(Warehouse(), store, PUBLISHED, NOON)  # type: ignore[arg-type]
    before = {name: list(rows) for name, rows in store.tables.items()}
    assert hand_over(Warehouse(), store, PUBLISHED, NOON) is None  # type: ignore[arg-type]
    assert store.tables == before


def test_broken_off_before_its_last_row_it_is_sent_once_more_and_kept_once() -> None:
    store = SpeedStore()
    hand_over(Warehouse(), store, PUBLISHED, NOON)  # type: ignore[arg-type]
    del store.tables["enrichments"]
    store.tokens = {token for token in store.tokens if not token.startswith("enrichments")}
    hand_over(Warehouse(), store, PUBLISHED, NOON)  # type: ignore[arg-type]
    assert {name: len(rows) for name, rows in store.tables.items()} == {
        "user_tiers": 2,
        "catalogue": 1,
        "enrichments": 1,
    }


def test_nothing_published_is_nothing_to_hand_over() -> None:
    assert hand_over(Warehouse(), SpeedStore(), [], NOON) is None  # type: ignore[arg-type]
