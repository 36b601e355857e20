"""Ratios are exact to four places, half away from zero."""

from decimal import Decimal

from concord.rules.ratios import ratio, ratio_or_zero


def test_a_half_rounds_away_from_zero():
    assert ratio(Decimal("0.00005"), 1) == Decimal("0.0001")
    assert ratio(Decimal("-0.00005"), 1) == Decimal("-0.0001")


def test_nothing_to_divide_by_is_none_or_zero():
    assert ratio(1, 0) is None
    assert ratio_or_zero(1, 0) == Decimal("0.0000")
