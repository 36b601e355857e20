"""Percentiles of what was measured: the smallest value that so many of all are not above (nearest rank)."""

from collections.abc import Mapping, Sequence
from math import ceil

SHOWN = (50, 95, 99, 100)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` percent of ``values`` do not exceed. Raises :class:`ValueError` without values."""
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    return ordered[max(1, ceil(share / 100 * len(ordered))) - 1]


def percentiles(values: Sequence[float], shares: Sequence[float] = SHOWN) -> Mapping[str, float]:
    """``{"p50": …}``; the hundredth is the largest value."""
    return {f"p{share:g}": percentile(values, share) for share in shares}
