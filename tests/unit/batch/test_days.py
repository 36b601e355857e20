from datetime import date

from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, LessThan
from pyiceberg.expressions.parser import parse

from concord.batch.days import Days

JANUARY = Days(date(2024, 1, 1), date(2024, 1, 31))


def test_an_interval_holds_both_its_days_whole() -> None:
    assert parse(JANUARY.instants("at")) == And(
        GreaterThanOrEqual("at", "2024-01-01T00:00:00+00:00"), LessThan("at", "2024-02-01T00:00:00+00:00")
    )


def test_an_open_end_sets_no_bound() -> None:
    assert parse(Days(first=date(2024, 1, 1)).instants("at")) == GreaterThanOrEqual("at", "2024-01-01T00:00:00+00:00")
    assert parse(Days(last=date(2024, 1, 31)).instants("at")) == LessThan("at", "2024-02-01T00:00:00+00:00")
    assert parse(Days().instants("at")) == AlwaysTrue()
