"""One reconciliation: extract at the cut, compare, judge."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from concord.contracts.behaviour import SESSIONS
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.position import NOTHING_HELD, Position, Publication
from concord.contracts.tables import as_change
from concord.gateways.clickhouse import ClickHouse
from concord.reconcile.compare import Comparison, compare
from concord.reconcile.cut import Cut, tables_only
from concord.reconcile.extract import RECONCILED, BatchExtract, SourceExtract, SpeedExtract
from concord.reconcile.sessions import comparable
from concord.rules.orders import is_revenue

SPEED, RAW, PUBLISHED, MART, SOURCE = "ClickHouse", "RAW", "STAGING", "MARTS", "PostgreSQL"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What was compared, where, and what came out. ``faults`` are reasons to distrust the run itself."""

    run_id: str
    started_at: datetime
    cut: Position
    batch_id: str
    fence: int | None
    comparisons: tuple[Comparison, ...]
    faults: tuple[str, ...]
    converged_seconds: float | None

    @property
    def differences(self) -> int:
        return sum(len(comparison.differences) for comparison in self.comparisons)

    @property
    def agrees(self) -> bool:
        return not self.faults and all(comparison.agrees for comparison in self.comparisons)


@dataclass(frozen=True)
class Sides:
    """The stores of one run. ``source`` is there only at a fence."""

    speed: SpeedExtract
    batch: BatchExtract
    source: SourceExtract | None = None


def common_cut(speed: Position, batch: Position) -> Position:
    """The highest position of the four tables and the clickstream that both layers hold completely."""
    return tables_only(speed).cut(tables_only(batch)).merge(events_cut(speed, batch))


def events_cut(speed: Position, batch: Position) -> Position:
    """The clickstream's part of the cut."""
    return speed.of_topic(EVENTS_TOPIC).cut(batch.of_topic(EVENTS_TOPIC))


def comparisons(
    sides: Sides, cut: Cut, published: Position, since: datetime, progress: Progress
) -> Iterator[Comparison]:
    """Every comparison of one run: change logs, rows, events and sessions ``since`` then, sums by day."""
    for table in RECONCILED:
        progress(table.name)
        yield from _compare_table(sides, table, cut, published)
    progress("events")
    yield from _compare_events(sides, cut, since)
    progress("sessions")
    yield _compare_sessions(sides, cut, since)
    progress("orders per day")
    yield from _compare_days(sides, cut, published)


def is_published_at(published: Position, cut: Cut, topic: str) -> bool:
    """True if what STAGING shows is the state at the cut: no fence between, no change of the topic beyond it."""
    return cut.below_lsn is None and published.of_topic(topic) == cut.position.of_topic(topic)


def _compare_table(sides: Sides, table: Dataset, cut: Cut, published: Position) -> Iterator[Comparison]:
    key, log = table.key, f"{table.name} changes"
    yield compare(
        log,
        ("_partition", "_offset"),
        (SPEED, sides.speed.positions(table, cut)),
        (RAW, sides.batch.positions(table, cut)),
    )
    speed, raw = sides.speed.rows(table, cut), sides.batch.rows(table, cut)
    yield compare(table.name, key, (SPEED, speed), (RAW, raw))
    if is_published_at(published, cut, cdc_topic(table)):
        yield compare(table.name, key, (SPEED, speed), (PUBLISHED, sides.batch.published(table)))
    if sides.source:
        source = sides.source.rows(table)
        yield compare(table.name, key, (SOURCE, source), (SPEED, speed))
        yield compare(table.name, key, (SOURCE, source), (RAW, raw))


def _compare_events(sides: Sides, cut: Cut, since: datetime) -> Iterator[Comparison]:
    """Each layer has judged every record by itself: verdicts and values must come out the same."""
    events = sides.speed.events(cut, since), sides.batch.events(cut, since)
    yield compare("events", EVENTS.key, (SPEED, events[0]), (RAW, events[1]))
    letters = sides.speed.dead_letters(cut, since), sides.batch.dead_letters(cut, since)
    yield compare("dead letters", ("_partition", "_offset"), (SPEED, letters[0]), (RAW, letters[1]))


def _compare_sessions(sides: Sides, cut: Cut, since: datetime) -> Comparison:
    """Of equal events. Events are read last: whatever a session is made of is then among them."""
    speed, batch = sides.speed.sessions(since), sides.batch.sessions(since)
    beyond = pl.concat([sides.speed.clicks_beyond(cut), sides.batch.clicks_beyond(cut)])
    both = comparable(speed, batch, beyond, round(since.timestamp() * 1000))
    found = compare("sessions", SESSIONS.key, (SPEED, both.speed), (PUBLISHED, both.batch))
    return replace(found, set_aside=both.set_aside)


def _compare_days(sides: Sides, cut: Cut, published: Position) -> Iterator[Comparison]:
    speed = sides.speed.days(cut)
    name, key = "orders by day and status", ("day", "status")
    if all(is_published_at(published, cut, cdc_topic(table)) for table in RECONCILED):
        yield compare(name, key, (SPEED, speed), (PUBLISHED, sides.batch.days()))
        yield compare("orders by day", ("day",), (SPEED, _revenue(speed)), (MART, sides.batch.revenue()))
    if sides.source:
        yield compare(name, key, (SOURCE, sides.source.days()), (SPEED, speed))


def _revenue(days: pl.DataFrame) -> pl.DataFrame:
    """Per day all orders, and the revenue of those that count as revenue."""
    counts = [status for status in days["status"].unique() if is_revenue(status)]
    cents = pl.col("cents").filter(pl.col("status").is_in(counts)).sum()
    return days.group_by("day").agg(pl.col("orders").sum(), cents)


def faults(found: tuple[Comparison, ...]) -> tuple[str, ...]:
    """Reasons why a run without differences proves nothing."""
    empty = {c.dataset for c in found if c.dataset in {t.name for t in RECONCILED} and not c.left_rows}
    return tuple(f"{name}: nothing to compare" for name in sorted(empty))


def converged_seconds(speed: ClickHouse, publication: Publication, cut: Cut) -> float | None:
    """Seconds from the last change at the cut to the moment the later layer held it; None without changes."""
    logs = [
        f"select __source_ts_ms as at from {as_change(t).name} where {cut.predicate(cdc_topic(t))}" for t in RECONCILED
    ]
    (last_change,) = speed.query(f"select max(at) from ({' union all '.join(logs)})")[0]
    reached = speed.query(_REACHED.format(reached=" or ".join(_reached(tables_only(cut.position))) or "false"))
    if last_change is None or not reached:
        return None
    held_at = max(row[0] for row in reached)
    return float((max(publication.published_at, held_at) - last_change).total_seconds())


_REACHED = "select min(written_at) from speed_position where {reached} group by _topic, _partition"
"""When each partition first held what the cut asks of it."""


def _reached(position: Position) -> Iterator[str]:
    for topic, partition, offset in position:
        if offset > NOTHING_HELD:
            yield f"(_topic = '{topic}' and _partition = {partition} and _offset >= {offset})"
