from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.rules.customers import days_of_inventory, is_active, is_at_risk, predicted_ltv


@pytest.mark.parametrize(("days", "active", "at_risk"), [(90, True, False), (91, False, False), (180, False, True)])
def test_segments_begin_and_end_on_their_days(days: int, active: bool, at_risk: bool) -> None:
    assert (is_active(days), is_at_risk(days)) == (active, at_risk)


def test_who_has_never_bought_is_neither_active_nor_at_risk() -> None:
    assert not is_active(None)
    assert not is_at_risk(None)


@given(st.decimals(0, 100_000, places=2), st.integers(0, 4000))
def test_forecast_never_falls_short_of_what_was_spent(spent: Decimal, days: int) -> None:
    assert predicted_ltv(spent, days, at_risk=False) >= spent
    assert predicted_ltv(spent, days, at_risk=True) == spent


def test_one_large_first_order_is_no_pace() -> None:
    assert predicted_ltv(Decimal(90), 0, at_risk=False) == Decimal(455)


def test_stock_lasts_whole_days_and_nothing_is_said_without_demand() -> None:
    assert days_of_inventory(100, 7) == 428
    assert days_of_inventory(100, 0) is None
    assert days_of_inventory(None, 7) is None
