"""Which days a job computes and replaces."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

DAY = timedelta(days=1)


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
        if self.are_all:
            return F.lit(True)
        if self.among is not None:
            return day.isin(*sorted(self.among)) if self.among else F.lit(False)
        from_first = day >= F.lit(self.first) if self.first else F.lit(True)
        to_last = day <= F.lit(self.last) if self.last else F.lit(True)
        return from_first & to_last

    def instants(self, column: str) -> str:
        """The interval, as a condition on instants in Iceberg's expression language."""
        assert self.among is None
        from_first = f"{column} >= '{midnight(self.first)}'" if self.first else None
        to_last = f"{column} < '{midnight(self.last + DAY)}'" if self.last else None
        return " and ".join(filter(None, (from_first, to_last))) or "true"

    def __str__(self) -> str:
        if self.among is not None:
            return f"{len(self.among):,} days"
        if self.are_all:
            return "every day"
        return f"{self.first or 'the first day'} to {self.last or 'the last'}"


def midnight(day: date) -> str:
    """Its first instant."""
    return datetime.combine(day, time(), UTC).isoformat()


EVERY = Days()
NONE = Days(among=frozenset())
