from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.render.seeds import seed
from concord.rules.bands import CUSTOMER_TIERS, ORDER_SIZES, PRICE_TIERS, Bands, Shares, customer_tier

AMOUNTS = st.decimals(-1000, 1000, places=2)


@given(AMOUNTS, st.sampled_from((PRICE_TIERS, ORDER_SIZES)))
def test_every_value_lies_in_one_band(value: Decimal, bands: Bands) -> None:
    assert sum(band.holds(value) for band in bands) == 1


@pytest.mark.parametrize(
    ("price", "tier"), [("-1", "budget"), ("4.99", "budget"), ("5", "mid-range"), ("20", "premium")]
)
def test_band_begins_at_its_lower_bound(price: str, tier: str) -> None:
    assert PRICE_TIERS.of(Decimal(price)) == tier


@given(st.integers(1, 5000), st.data())
def test_every_rank_has_one_tier_and_none_has_more_than_its_share(customers: int, data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, customers))
    assert sum(share.holds(rank, customers) for share in CUSTOMER_TIERS) == 1
    platinum = sum(CUSTOMER_TIERS.of(each, customers) == "platinum" for each in range(1, min(customers, 200) + 1))
    assert platinum * 100 <= 3 * customers


def test_of_a_thousand_customers_thirty_are_platinum_and_six_hundred_bronze() -> None:
    tiers = [CUSTOMER_TIERS.of(rank, 1000) for rank in range(1, 1001)]
    assert [tiers.count(name) for name in ("platinum", "gold", "silver", "bronze")] == [30, 120, 250, 600]


def test_who_has_spent_nothing_is_bronze_at_any_rank() -> None:
    assert customer_tier(1, 1000, Decimal(0)) == "bronze"
    assert customer_tier(1, 1000, Decimal("0.01")) == "platinum"


def test_shares_must_add_up() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        Shares("s", "c", (("a", 3), ("b", 4)))


def test_seed_has_a_line_per_band_and_no_bound_is_empty() -> None:
    assert seed(PRICE_TIERS) == "price_tier,at_least,below\nbudget,,5\nmid-range,5,20\npremium,20,\n"
    assert seed(CUSTOMER_TIERS).splitlines()[1:] == ["platinum,0,3", "gold,3,15", "silver,15,40", "bronze,40,100"]
