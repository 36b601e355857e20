"""Which days a job computes and replaces."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class Days:
    """Days in UTC: an interval with both its ends, open where it names none, or the days of ``among`` alone."""

    first: date | None = None
    last: date | None = None
    among: frozenset[date] | None = None

    @property
    def are_all(self) -> bool:
        return self == EVERY

    @property
    def are_none(self) -> bool:
        return self.among is not None and not self.among

    def hold(self, day: Column) -> Column:
        """True where the column names one of the days."""
        if self.among is not None:
            return day.isin(*sorted(self.among)) if self.among else F.lit(False)
        from_first = day >= F.lit(self.first) if self.first else F.lit(True)
        to_last = day <= F.lit(self.last) if self.last else F.lit(True)
        return from_first & to_last

    def __str__(self) -> str:
        if self.among is not None:
            return f"{len(self.among):,} days"
        if self.are_all:
            return "every day"
        return f"{self.first or 'the first day'} to {self.last or 'the last'}"


EVERY = Days()
NONE = Days(among=frozenset())
