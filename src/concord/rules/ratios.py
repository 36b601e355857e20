"""How two exact numbers are divided, everywhere: to four places, half away from zero.

Snowflake's ROUND and its casts to NUMBER round half away from zero; so does this, so that a ratio
computed from ClickHouse's sums equals the mart's to the last digit.
"""

from decimal import ROUND_HALF_UP, Decimal

FOUR_PLACES = Decimal("0.0001")


def ratio(numerator: Decimal | int, denominator: Decimal | int) -> Decimal | None:
    """``numerator / denominator`` to four places; None where there is nothing to divide by."""
    if denominator == 0:
        return None
    return (Decimal(numerator) / Decimal(denominator)).quantize(FOUR_PLACES, rounding=ROUND_HALF_UP)


def ratio_or_zero(numerator: Decimal | int, denominator: Decimal | int) -> Decimal:
    """Like :func:`ratio`, and 0 where there is nothing to divide by."""
    return ratio(numerator, denominator) or Decimal("0.0000")
