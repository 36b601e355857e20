"""One look at the speed layer: what its metrics, ClickHouse and Kafka say, each as far as it answers."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from concord import bootstrap
from concord.cli.hops import TOPICS
from concord.contracts.derived import DEAD_LETTERS, SPEED_POSITION
from concord.contracts.names import EVENTS_QUERY as QUERY
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.errors import ConcordError, Unavailable
from concord.gateways.metrics import Scraped, scrape
from concord.platform.launchers import speed
from concord.rules.bottleneck import bottleneck
from concord.settings import Settings
from concord.telemetry import metrics as catalogue
from concord.telemetry.clock import now

T = TypeVar("T")

SPEED, CLICKHOUSE, KAFKA = "speed layer", "store (ClickHouse)", "broker (Kafka)"
SILENT = "it runs, but serves no metrics here (telemetry.metrics_port in the profile)"
MINUTE = 60.0
RATE_LOOKS = 6
"""The rate is taken over the last of these looks."""
RECENT_BATCHES = 600
"""More than a minute holds: spares ClickHouse the rest of the table."""

RECENT = f"""
    from {SPEED_POSITION.name}
    where query = {{query:String}}
      and batch_id > (select max(batch_id) from {SPEED_POSITION.name} where query = {{query:String}}) - {RECENT_BATCHES}
"""
FATES = f"""
    select sum(records_in) as read, sum(stored) as stored, sum(dead) as dead, sum(duplicate) as duplicate,
        sum(late) as late, uniqExact(batch_id) as batches
    {RECENT} and written_at >= now64(3) - interval 1 minute
"""
DEAD = f"""
    select reason, count() as records from {DEAD_LETTERS.name}
    where _topic = {{topic:String}} and first_seen_at >= now64(3) - interval 1 minute
      and _offset > ifNull((
          select min(last) from
          (select max(_offset) as last {RECENT} and written_at < now64(3) - interval 1 minute group by _partition)
      ), -1)
    group by reason order by records desc, reason
"""
"""The offsets spare ClickHouse the dead letters of other days."""


@dataclass(frozen=True)
class Snapshot:
    """The speed layer at one moment. None or empty where who knows does not answer; ``away`` says why.

    Rates are per second, ``batch`` is the last micro-batch of events in seconds by part, counts are of the
    last minute, ``lag`` is in records by topic.
    """

    at: str
    target_per_second: float
    trigger_seconds: float
    freshness_target_seconds: float
    arriving_per_second: float | None = None
    freshness_median: float | None = None
    freshness_p99: float | None = None
    batch: Mapping[str, float] = field(default_factory=dict)
    batch_records: float | None = None
    batch_age_seconds: float | None = None
    lag: Mapping[str, int] = field(default_factory=dict)
    lag_seconds: Mapping[str, float] = field(default_factory=dict)
    fates: Mapping[str, int] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)
    sessions_open: float | None = None
    state_bytes: float | None = None
    memory_bytes: float | None = None
    slow_queries: float | None = None
    bottleneck: str = ""
    away: Mapping[str, str] = field(default_factory=dict)

    @property
    def batch_seconds(self) -> float:
        return sum(self.batch.values())


@dataclass(frozen=True)
class Stored:
    """What ClickHouse says."""

    position: Position
    fates: Mapping[str, int]
    batches: int
    dead: Mapping[str, int]


@dataclass
class Looks:
    """Looks again and again; the rate of arrival is between two of them."""

    settings: Settings
    clock: Callable[[], datetime] = now
    _ends: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RATE_LOOKS))

    def look(self) -> Snapshot:
        """ClickHouse before Kafka: a lag is never too small."""
        away: dict[str, str] = {}
        scraped = _asked(SPEED, self._scraped, away) or Scraped()
        stored = _asked(CLICKHOUSE, lambda: stored_by(self.settings), away)
        end = _asked(KAFKA, lambda: bootstrap.kafka(self.settings).end_position(TOPICS), away)
        at = self.clock()
        return snapshot(self.settings, at, scraped, stored, end, self._rate(at.timestamp(), end, stored), away)

    def _scraped(self) -> Scraped:
        """Raises :class:`Unavailable`, in words that tell a speed layer that is away from one that is silent."""
        telemetry = self.settings.telemetry
        try:
            return scrape(f"{telemetry.metrics_host}:{telemetry.metrics_port}")
        except Unavailable as error:
            is_running = speed.engine(self.settings).is_ready()
            raise Unavailable(SILENT if is_running else f"it is away: {error.message}") from error

    def _rate(self, at: float, end: Position | None, stored: Stored | None) -> float | None:
        """Since the first of the looks that are remembered; before there are two, what the last minute stored."""
        if end is not None:
            self._ends.append((at, sum(offset + 1 for _, _, offset in end.of_topic(EVENTS_TOPIC))))
        if len(self._ends) > 1:
            (first_at, first), (last_at, last) = self._ends[0], self._ends[-1]
            return (last - first) / max(last_at - first_at, 1e-3)
        return stored.fates["read"] / MINUTE if stored else None


def stored_by(settings: Settings) -> Stored:
    """Counts of events in the last minute, and the position."""
    store = bootstrap.clickhouse(settings, "reader")
    position = store.position()
    fates = {name: int(count) for name, count in store.query_dicts(FATES, {"query": QUERY})[0].items()}
    dead = dict(store.query(DEAD, {"query": QUERY, "topic": EVENTS_TOPIC}))
    return Stored(position, {name: fates[name] for name in fates if name != "batches"}, fates["batches"], dead)


def snapshot(
    settings: Settings,
    at: datetime,
    scraped: Scraped,
    stored: Stored | None,
    end: Position | None,
    rate: float | None,
    away: Mapping[str, str],
) -> Snapshot:
    """Everything that was found, together."""
    batch = {
        part: each for (query, part), each in scraped.series(catalogue.LAST_BATCH_SECONDS).items() if query == QUERY
    }
    stored_at = scraped.value(catalogue.LAST_BATCH_AT, QUERY)
    waits = {topic: each for (_, topic), each in scraped.series(catalogue.LAG_SECONDS).items()}
    trigger = float(settings.spark.trigger_seconds)
    statements = (scraped.value(catalogue.WRITER_SECONDS) or 0.0) / max(1, stored.batches if stored else 1)
    return Snapshot(
        at=at.isoformat(timespec="seconds"),
        target_per_second=settings.telemetry.target_events_per_second,
        trigger_seconds=trigger,
        freshness_target_seconds=settings.telemetry.freshness_target_seconds,
        arriving_per_second=rate,
        freshness_median=scraped.value(catalogue.FRESHNESS, QUERY, "0.5"),
        freshness_p99=scraped.value(catalogue.FRESHNESS, QUERY, "0.99"),
        batch=batch,
        batch_records=scraped.value(catalogue.LAST_BATCH_RECORDS, QUERY),
        batch_age_seconds=None if stored_at is None else max(0.0, at.timestamp() - stored_at),
        lag=lag(stored.position, end) if stored and end else {},
        lag_seconds=waits,
        fates=stored.fates if stored else {},
        dead=stored.dead if stored else {},
        sessions_open=scraped.value(catalogue.SESSIONS_OPEN),
        state_bytes=scraped.value(catalogue.STATE_BYTES),
        memory_bytes=sum(scraped.series(catalogue.MEMORY).values()) or None,
        slow_queries=scraped.value(catalogue.SLOW_QUERIES),
        bottleneck=_held_up(batch, trigger, statements, away),
        away=away,
    )


def lag(held: Position, end: Position) -> dict[str, int]:
    """Records that are not stored yet, by topic."""
    behind = dict.fromkeys(sorted({topic for topic, _, _ in end}), 0)
    for key, offset in end.offsets.items():
        behind[key.topic] += max(0, offset - held[key])
    return behind


def _held_up(batch: Mapping[str, float], trigger: float, statements: float, away: Mapping[str, str]) -> str:
    missing = next((name for name in (KAFKA, CLICKHOUSE, SPEED) if name in away), None)
    return f"the {missing} does not answer" if missing else bottleneck(batch, trigger, statements)


def _asked(whom: str, question: Callable[[], T], away: dict[str, str]) -> T | None:
    try:
        return question()
    except ConcordError as error:
        away[whom] = error.message
        return None
