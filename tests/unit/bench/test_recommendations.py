"""Lists of products are those of the mart's rule; what is held out is not learned from."""

import polars as pl
import pytest

from concord.bench.recommendations import NO_LISTS, POPULARITY, TOGETHER, recommended, tried
from concord.errors import ContractViolation
from tests.marts_oracle import Oracle
from tests.shop_history import ShopHistory


def baskets(*orders: set[int]) -> pl.DataFrame:
    rows = [(number, product) for number, products in enumerate(orders) for product in sorted(products)]
    return pl.DataFrame(rows, schema={"order": pl.Int64(), "product": pl.Int64()}, orient="row")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lists_are_those_of_the_marts_rule(seed: int) -> None:
    history = ShopHistory(seed).live(days=60)
    shop = Oracle(history, history.as_of())
    products = pl.DataFrame({"product": sorted(shop.products)})
    expected = [(row[0], row[2], row[1]) for key in sorted(shop.products) for row in shop.recommended(key)]
    found = recommended(baskets(*shop.baskets), products).sort("product", "place")
    assert found.columns == NO_LISTS.columns
    assert found.rows() == expected
    assert {row[3] for key in shop.products for row in shop.recommended(key)} == {TOGETHER, POPULARITY}


def test_a_pair_that_is_always_bought_together_is_found_where_popularity_fails() -> None:
    best_sellers = [{10 + seller} for seller in range(5) for _ in range(9)]
    pairs = [{1, 2}, {3, 4}] * 4
    found = tried(baskets(*best_sellers, *pairs, {1, 2}, {3, 4}), held_out_percent=4)
    together, popularity = found.scores
    assert (found.orders_tried, found.products_looked_at) == (2, 4)
    assert together.hit_rates == together.hit_rates_by_order == (1.0,) * 5
    assert popularity.hit_rates == (0.0,) * 5
    assert found.is_better


def test_what_is_held_out_is_not_learned_from() -> None:
    found = tried(baskets(*[{7, 8}] * 2, *[{1, 2}] * 2), held_out_percent=50)
    assert found.orders_learned == 2
    assert found.scores[0].hit_rates == (0.0,) * 5
    assert not found.is_better


def test_too_few_orders_are_refused() -> None:
    with pytest.raises(ContractViolation, match="1 orders: too few"):
        tried(baskets({1, 2}), held_out_percent=20)
