"""What statements cost: a warehouse is paid for while it runs, from its first statement until it stops.

It starts by itself with a statement and stops after ``suspend`` without one. Each start is paid for at
least :data:`MINIMUM`. Time is taken as it is, not rounded up to whole seconds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from concord.contracts.warehouse import Size

MINIMUM = timedelta(seconds=60)
HOUR = Decimal(3600)
DAY = timedelta(days=1)
DAYS_OF_MONTH = 30


@dataclass(frozen=True)
class Statement:
    """One that a warehouse worked on. What only an account knows is None elsewhere."""

    warehouse: str
    begun_at: datetime
    ended_at: datetime
    kind: str = "SELECT"
    role: str = ""
    size: Size | None = None
    partitions_scanned: int | None = None
    partitions_total: int | None = None
    spilled_bytes: int | None = None

    @property
    def took(self) -> timedelta:
        return self.ended_at - self.begun_at


@dataclass(frozen=True)
class Run:
    """From a start of the warehouse to its stop. ``busy`` is the time in which at least one statement ran."""

    statements: tuple[Statement, ...]
    busy: timedelta
    stopped_at: datetime

    @property
    def begun_at(self) -> datetime:
        return self.statements[0].begun_at

    @property
    def billed(self) -> timedelta:
        return max(MINIMUM, self.stopped_at - self.begun_at)


@dataclass(frozen=True)
class Prices:
    """``per_credit`` in ``currency``; the date says how old they are."""

    as_of: date
    source: str
    currency: str
    per_credit: Decimal
    credits_per_hour: Mapping[Size, Decimal]

    def credits(self, billed: timedelta, size: Size) -> Decimal:
        return seconds(billed) * self.credits_per_hour[size] / HOUR

    def money(self, credits: Decimal) -> Decimal:
        return credits * self.per_credit


@dataclass(frozen=True)
class Bill:
    """One warehouse over one period."""

    warehouse: str
    size: Size
    suspend: timedelta
    statements: int
    starts: int
    busy: timedelta
    billed: timedelta
    credits: Decimal
    money: Decimal

    @property
    def idle_share(self) -> Decimal:
        """Of what is paid for, the part in which nothing ran."""
        return 1 - seconds(self.busy) / seconds(self.billed) if self.billed else Decimal(0)


def seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 1_000_000


def runs(statements: Iterable[Statement], suspend: timedelta) -> list[Run]:
    """When one warehouse ran. It goes on with a statement that comes before it has stopped."""
    found: list[Run] = []
    for statement in sorted(statements, key=lambda each: (each.begun_at, each.ended_at)):
        if found and statement.begun_at <= found[-1].stopped_at:
            found[-1] = _goes_on(found[-1], statement, suspend)
        else:
            found.append(Run((statement,), statement.took, statement.ended_at + suspend))
    return found


def _goes_on(run: Run, statement: Statement, suspend: timedelta) -> Run:
    busy_until = run.stopped_at - suspend
    more = max(timedelta(), statement.ended_at - max(statement.begun_at, busy_until))
    stopped_at = max(run.stopped_at, statement.ended_at + suspend)
    return Run((*run.statements, statement), run.busy + more, stopped_at)


def bill(warehouse: str, statements: Sequence[Statement], size: Size, suspend: timedelta, prices: Prices) -> Bill:
    """What one warehouse cost for these statements."""
    found = runs(statements, suspend)
    billed = sum((run.billed for run in found), timedelta())
    credits = prices.credits(billed, size)
    busy = sum((run.busy for run in found), timedelta())
    return Bill(warehouse, size, suspend, len(statements), len(found), busy, billed, credits, prices.money(credits))


def priced(
    statements: Sequence[Statement], size: Size, suspend: timedelta, prices: Prices
) -> Iterator[tuple[Statement, Decimal]]:
    """Each statement with its credits: its share, by its time, of the run that it was part of. Nothing is lost."""
    for run in runs(statements, suspend):
        yield from zip(run.statements, _shares(run, prices.credits(run.billed, size)), strict=True)


def _shares(run: Run, credits: Decimal) -> Iterator[Decimal]:
    weights = [seconds(statement.took) for statement in run.statements]
    if not any(weights):
        weights = [Decimal(1)] * len(weights)
    left, total = credits, sum(weights)
    for weight in weights[:-1]:
        share = credits * weight / total
        left -= share
        yield share
    yield left


def repeated(statements: Sequence[Statement], every: timedelta) -> list[Statement]:
    """A day in which they are sent again after each ``every``."""
    return [
        replace(each, begun_at=each.begun_at + shift, ended_at=each.ended_at + shift)
        for shift in (every * turn for turn in range(DAY // every))
        for each in statements
    ]


def by_warehouse(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    found: dict[str, list[Statement]] = {}
    for statement in statements:
        found.setdefault(statement.warehouse, []).append(statement)
    return found
