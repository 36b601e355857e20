"""Thresholds as dbt's seeds: one line per band, the header first, no bound left empty."""

from collections.abc import Iterable

from concord.rules.bands import Bands, Shares


def seed(bands: Bands | Shares) -> str:
    """The text of the seed. A seed cannot hold a comment that says where it comes from."""
    return "".join(f"{','.join(map(_cell, line))}\n" for line in _lines(bands))


def _lines(bands: Bands | Shares) -> Iterable[tuple[object, ...]]:
    match bands:
        case Bands():
            yield (bands.column, "at_least", "below")
            yield from ((band.name, band.at_least, band.below) for band in bands)
        case Shares():
            yield (bands.column, "above_percent", "upto_percent")
            yield from ((share.name, share.above_percent, share.upto_percent) for share in bands)


def _cell(value: object) -> str:
    return "" if value is None else str(value)
