"""Is a day's figure out of the ordinary? Judged by the same weekday's weeks before it, robustly.

The band is the median ± 3.5 standard deviations, estimated from the median absolute deviation (Iglewicz and
Hoaglin's modified z-score): a peak in the history hardly moves it, where mean and standard deviation would
make room for the next one. Only days before it judge a day, so a later batch never changes a verdict.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

WEEK_DAYS = 7
WEEKS = 8
"""Of the same weekday, before the day: long enough to be steady, short enough to follow the shop's growth."""
LEAST_WEEKS = 4
"""With less history nothing is expected."""
DEVIATIONS = 3.5
DEVIATION_OF_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
LEAST_SHARE = 0.25
"""The band is at least this share of the median wide on either side: equal weeks do not forbid the next to differ."""


@dataclass(frozen=True)
class Band:
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Day:
    """One figure of one day; ``band`` is None where history says nothing."""

    day: date
    value: float
    band: Band | None

    @property
    def is_odd(self) -> bool:
        return self.band is not None and not self.band.holds(self.value)


def band_of(history: Sequence[float]) -> Band | None:
    """What the figures before it let expect of the next."""
    if len(history) < LEAST_WEEKS:
        return None
    middle = median(history)
    spread = DEVIATIONS * DEVIATION_OF_MAD * median(abs(value - middle) for value in history)
    reach = max(spread, LEAST_SHARE * abs(middle))
    return Band(middle - reach, middle + reach)


def judge_days(figures: Mapping[date, float], missing: float | None) -> list[Day]:
    """Every day from the first to the last with its band. ``missing`` is the figure of a day without rows: 0 where
    rows are counted, None where such a day has no figure and is passed over."""
    known = dict(_calendar(figures, missing))
    return [Day(day, value, band_of(_weeks_before(known, day))) for day, value in known.items()]


def _calendar(figures: Mapping[date, float], missing: float | None) -> Iterator[tuple[date, float]]:
    if not figures:
        return
    first, last = min(figures), max(figures)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        value = figures.get(day, missing)
        if value is not None:
            yield day, value


def _weeks_before(known: Mapping[date, float], day: date) -> list[float]:
    """Figures of the same weekday, the last weeks that have one."""
    days = (day - timedelta(days=WEEK_DAYS * week) for week in range(1, WEEKS + 1))
    return [known[earlier] for earlier in days if earlier in known]
