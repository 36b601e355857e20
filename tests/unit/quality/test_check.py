import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from concord.contracts.expectations import Dimension, Layer, Severity
from concord.contracts.position import Position, Publication
from concord.dialects.expectations import daily
from concord.quality import layers
from concord.quality.check import age_all, measure_all, odd_ones, results
from concord.rules.data_quality import FRESHNESS, MEASURES, RULES

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
BATCH = Publication("000001-x", Position(), NOON, NOON + timedelta(minutes=5))
ORDERS_A_DAY = MEASURES["orders.daily.rows"]


@dataclass
class Answers:
    """A store that knows the answers to some questions, and has no days for the others."""

    layer: Layer = Layer.RAW
    known: dict[str, Sequence[tuple[Any, ...]]] = field(default_factory=dict)

    def prepare(self, publication: Publication) -> None: ...

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return list(self.known.get(statement, [(None,)] if "max(" in statement else []))

    def in_warehouse(self, query: str) -> str:
        return query


def days(*figures: int) -> list[tuple[date, Decimal]]:
    """The same weekday, the last of them the batch's own day."""
    return [(NOON.date() - timedelta(weeks=len(figures) - 1 - week), Decimal(f)) for week, f in enumerate(figures)]


def test_a_day_out_of_the_band_is_kept_with_what_was_expected() -> None:
    store = Answers(known={daily(ORDERS_A_DAY): days(100, 101, 99, 100, 100, 7, 100)})
    (odd,) = odd_ones(measure_all(store, BATCH), [])
    assert (odd.rule, odd.dataset, odd.key, odd.value) == ("orders.daily.rows", "orders", "2024-05-25", "7")
    assert odd.expected == "75 to 125"


def test_the_day_that_is_not_over_is_not_judged() -> None:
    store = Answers(known={daily(ORDERS_A_DAY): days(100, 101, 99, 100, 100, 3)})
    (orders,) = [each for each in measure_all(store, BATCH) if each.measure is ORDERS_A_DAY]
    assert orders.odd == []
    assert json.loads(orders.document())[-1][0] == "2024-05-25"


@pytest.mark.parametrize(("hours", "is_odd"), [(24, False), (25, True)])
def test_age_is_that_at_publication(hours: int, is_odd: bool) -> None:
    newest = BATCH.published_at - timedelta(hours=hours)
    store = Answers(known={layers.newest(Layer.RAW, "orders"): [(newest,)]})
    aged = age_all(store, BATCH)
    assert [odd.rule for odd in odd_ones([], aged)] == (["orders.fresh"] if is_odd else [])


def test_there_is_one_result_for_every_rule_of_the_layer() -> None:
    store = Answers()
    counts = dict.fromkeys(layers.HOLDS[Layer.RAW], 3)
    found = results(
        Layer.RAW, counts, Counter({"orders.id.unique": 2}), measure_all(store, BATCH), age_all(store, BATCH)
    )
    named = {result.rule: result for result in found}
    assert {*named} == {rule.name for rule in layers.rules(Layer.RAW)} | {*FRESHNESS} | {*MEASURES}
    assert [result.rule for result in found if result.has_failed] == ["orders.id.unique"]
    unique = named["orders.id.unique"]
    assert (unique.rows_checked, unique.violations, unique.severity) == (3, 2, Severity.CRITICAL)
    assert named["orders.fresh"].dimension is Dimension.FRESHNESS
    assert named["orders.user_id.filled"].severity is Severity.FLAG


def test_flagged_source_data_never_fail_a_check() -> None:
    counts = dict.fromkeys(layers.HOLDS[Layer.RAW], 3)
    broken = Counter({rule.name: 1 for rule in RULES.values() if rule.severity is Severity.FLAG})
    assert [result for result in results(Layer.RAW, counts, broken, [], []) if result.has_failed] == []
