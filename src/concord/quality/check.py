"""One layer checked at one batch: every rule, the age of its newest rows, and its days against history."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from concord.contracts.expectations import Dimension, Fresh, Layer, Measure, Rule, Severity, Statistic
from concord.contracts.position import Publication
from concord.dialects.expectations import daily
from concord.quality import layers
from concord.quality.stores import Store
from concord.rules.anomalies import Day, judge_days
from concord.rules.data_quality import FRESHNESS

COUNTED = (Statistic.ROWS, Statistic.SUM)
"""Statistics of a day without rows are 0; the others have no value then."""


@dataclass(frozen=True)
class Odd:
    """A day or a dataset that is not as expected."""

    rule: str
    dataset: str
    key: str
    value: str
    expected: str


@dataclass(frozen=True)
class Result:
    """What came of one rule at one layer."""

    rule: str
    dataset: str
    dimension: Dimension
    severity: Severity
    rows_checked: int
    violations: int

    @property
    def has_failed(self) -> bool:
        return self.severity is Severity.CRITICAL and self.violations > 0


@dataclass(frozen=True)
class Measured:
    """A measure's days, each judged by those before it."""

    measure: Measure
    days: Sequence[Day]

    @property
    def odd(self) -> list[Odd]:
        return [_odd(self.measure, day) for day in self.days if day.is_odd]

    def document(self) -> str:
        """``[[day, value, low, high], …]`` as JSON."""
        return json.dumps([[day.day.isoformat(), day.value, *_limits(day)] for day in self.days])


@dataclass(frozen=True)
class Aged:
    """When the newest row of a dataset came, None for a dataset without rows."""

    fresh: Fresh
    newest: datetime | None
    published_at: datetime

    @property
    def odd(self) -> list[Odd]:
        oldest = self.published_at - self.fresh.within
        if self.newest is None or self.newest >= oldest:
            return []
        return [Odd(self.fresh.name, self.fresh.dataset, "newest", str(self.newest), f">= {oldest}")]


def measure_all(store: Store, publication: Publication) -> list[Measured]:
    """Every measure of the layer. The day of the batch's own time is left out: it is not over."""
    return [
        Measured(measure, _judged(store.query(daily(measure)), measure, publication))
        for measure in layers.measures(store.layer)
    ]


def _judged(rows: Sequence[tuple[Any, ...]], measure: Measure, publication: Publication) -> list[Day]:
    figures = {_day(day): float(figure) for day, figure in rows if day is not None}
    over = {day: figure for day, figure in figures.items() if day != publication.as_of.date()}
    return judge_days(over, 0.0 if measure.statistic in COUNTED else None)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def age_all(store: Store, publication: Publication) -> list[Aged]:
    """The age of every table that Concord captures, at the time of publication."""
    return [
        Aged(fresh, store.query(layers.newest(store.layer, fresh.dataset))[0][0], publication.published_at)
        for fresh in FRESHNESS.values()
    ]


def results(
    layer: Layer, counts: Mapping[str, int], broken: Counter[str], measured: Sequence[Measured], aged: Sequence[Aged]
) -> list[Result]:
    """One result for each rule that the layer can be held to."""
    return [
        *(_of_rule(rule, counts, broken) for rule in layers.rules(layer)),
        *(_of_measure(each) for each in measured),
        *(_of_age(each) for each in aged),
    ]


def _of_rule(rule: Rule, counts: Mapping[str, int], broken: Counter[str]) -> Result:
    return Result(rule.name, rule.dataset, rule.dimension, rule.severity, counts[rule.dataset], broken[rule.name])


def _of_measure(each: Measured) -> Result:
    judged = sum(day.band is not None for day in each.days)
    measure = each.measure
    return Result(measure.name, measure.dataset, measure.dimension, Severity.FLAG, judged, len(each.odd))


def _of_age(each: Aged) -> Result:
    seen = 0 if each.newest is None else 1
    return Result(each.fresh.name, each.fresh.dataset, Dimension.FRESHNESS, Severity.FLAG, seen, len(each.odd))


def odd_ones(measured: Sequence[Measured], aged: Sequence[Aged]) -> Iterator[Odd]:
    for each in measured:
        yield from each.odd
    for one in aged:
        yield from one.odd


def _odd(measure: Measure, day: Day) -> Odd:
    low, high = _limits(day)
    return Odd(measure.name, measure.dataset, day.day.isoformat(), f"{day.value:.6g}", f"{low:.6g} to {high:.6g}")


def _limits(day: Day) -> tuple[float | None, float | None]:
    return (day.band.low, day.band.high) if day.band else (None, None)
