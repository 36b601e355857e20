"""Exact ratios in Spark's decimals, as ``concord.rules.ratios`` defines them."""

from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F

WHOLE = "decimal(38,0)"
RATIO = "decimal(18,4)"


def exact_ratio(numerator: Column, denominator: Column, scale: int = 0) -> Column:
    """To four places, half away from zero; null where there is nothing to divide by.

    ``scale`` is the numerator's number of decimal places. Spark rounds the quotient of two decimals to a scale of
    its own before anybody can round it, so the dividend is made a multiple of the divisor first: (2n + d) less its
    rest, over 2d, is n/d rounded half up, on magnitudes. The sign is put back afterwards.
    """
    units = 10**scale
    divisor = F.abs(denominator).cast(WHOLE) * F.lit(2 * units)
    dividend = _whole(F.abs(numerator), units) * F.lit(20_000) + F.abs(denominator).cast(WHOLE) * F.lit(units)
    rounded = ((dividend - dividend % divisor) / divisor).cast(WHOLE) * F.lit(Decimal("0.0001"))
    is_negative = (numerator < 0) != (denominator < 0)
    return F.when(denominator != 0, F.when(is_negative, -rounded).otherwise(rounded)).cast(RATIO)


def exact_ratio_or_zero(numerator: Column, denominator: Column, scale: int = 0) -> Column:
    """Like :func:`exact_ratio`, and 0 where there is nothing to divide by."""
    return F.coalesce(exact_ratio(numerator, denominator, scale), F.lit(Decimal("0.0000"))).cast(RATIO)


def _whole(value: Column, units: int) -> Column:
    """The value in its smallest unit."""
    return (value * F.lit(units)).cast(WHOLE)
