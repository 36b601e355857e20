"""Whether every acknowledged record is at rest once: what was lost, what is there twice, what else differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from concord.bench import at_rest
from concord.bench.expected import MEASURES, Totals, differences
from concord.bench.ranges import OF_RUN, Since
from concord.gateways.clickhouse import ClickHouse

EVENTS = f"""
select count(), uniqExact(event_id) from (
    select event_id from events where {OF_RUN} union all select event_id from events_late where {OF_RUN}
)
"""
DEAD = f"select count(), uniqExact(_partition, _offset) from dead_letters where {OF_RUN}"
AT_REST = ("stored", "late", "dead")
"""Fates of which there is a row."""


@dataclass(frozen=True)
class Ledger:
    """``lost`` and ``duplicated`` are rows of events and dead letters; ``differences`` are in words."""

    records: int
    lost: int
    duplicated: int
    differences: Sequence[str]


def ledger(store: ClickHouse, since: Since, sent: Totals, measures: Sequence[str] = MEASURES) -> Ledger:
    """What was sent against what is at rest: counts, money and hashes by kind."""
    found = [store.query(sql, since.params)[0] for sql in (EVENTS, DEAD)]
    rows, distinct = (sum(int(each[place]) for each in found) for place in (0, 1))
    expected = sum(sent.fates.get(fate, 0) for fate in AT_REST)
    wrong = differences(sent, at_rest.totals(store, since), measures)
    return Ledger(sent.records, max(0, expected - distinct), rows - distinct, wrong)
