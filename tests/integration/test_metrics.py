"""What the running speed layer serves for Prometheus, while events go through it."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from concord.contracts.events import EventType
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY, EVENTS_TOPIC
from concord.gateways.kafka import Kafka
from concord.gateways.metrics import Scraped, scrape
from concord.settings import Settings
from concord.telemetry import metrics as catalogue
from concord.telemetry.metrics import Metric
from tests.factories import event
from tests.waiting import eventually

pytestmark = pytest.mark.integration

FATES = ("stored", "dead", "duplicate", "late")
SEARCHES, TWICE, BROKEN = 20, 3, 2
STATED = (
    catalogue.TRIGGER_SECONDS,
    catalogue.TARGET_RATE,
    catalogue.FRESHNESS_TARGET,
    catalogue.SLOW_THRESHOLD,
)


def served(settings: Settings) -> Scraped:
    return scrape(f"{settings.telemetry.metrics_host}:{settings.telemetry.metrics_port}")


def send(kafka: Kafka) -> None:
    """Searches, some of them twice, and broken ones."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    searches = [
        event(EventType.SEARCH, number, event_id=str(uuid4()), occurred_at=at) for number in range(1, SEARCHES + 1)
    ]
    broken = [{**search, "results_count": "many"} for search in searches[:BROKEN]]
    producer = kafka.producer()
    for document in [*searches, *searches[:TWICE], *broken]:
        producer.produce(EVENTS_TOPIC, value=json.dumps(document).encode())
    assert producer.flush(30) == 0


def grown(before: Scraped, after: Scraped, metric: Metric, *labels: str) -> float:
    return (after.value(metric, *labels) or 0) - (before.value(metric, *labels) or 0)


def test_events_are_counted_by_what_became_of_them(stack: Settings, kafka: Kafka) -> None:
    before = served(stack)
    send(kafka)

    def all_read() -> Scraped | None:
        now = served(stack)
        sent = SEARCHES + TWICE + BROKEN
        return now if grown(before, now, catalogue.RECORDS_READ, EVENTS_QUERY) >= sent else None

    after = eventually(all_read)
    assert after is not None
    assert grown(before, after, catalogue.EVENTS, "SEARCH", "stored") >= SEARCHES
    assert grown(before, after, catalogue.EVENTS, "SEARCH", "duplicate") >= TWICE
    assert grown(before, after, catalogue.DEAD_LETTERS, EVENTS_QUERY, "SEARCH", "wrong_type") >= BROKEN
    assert 0 < (after.value(catalogue.FRESHNESS, EVENTS_QUERY, "0.99") or 0) < 60
    assert (after.value(catalogue.SESSIONS_OPEN) or 0) > 0
    assert after.value(catalogue.LAST_BATCH_SECONDS, EVENTS_QUERY, "store")


def test_every_record_read_is_accounted_for(stack: Settings) -> None:
    def conserved() -> bool:
        now = served(stack)
        return all(
            now.value(catalogue.RECORDS_READ, query)
            == sum(now.value(catalogue.RECORDS_SETTLED, query, fate) or 0 for fate in FATES)
            for query in (EVENTS_QUERY, CHANGES_QUERY)
        )

    assert eventually(conserved)


def test_targets_lag_memory_and_queries_are_measured(stack: Settings) -> None:
    def measured() -> Scraped | None:
        now = served(stack)
        return now if now.value(catalogue.LAG_RECORDS, EVENTS_QUERY, EVENTS_TOPIC) == 0 else None

    now = eventually(measured)
    assert now is not None
    assert all(now.value(metric) for metric in STATED)
    assert all((now.value(catalogue.MEMORY, process) or 0) > 1 << 20 for process in ("driver", "java"))
    assert now.value(catalogue.SLOW_QUERIES) is not None
    assert sum(now.series(catalogue.ROWS_DROPPED).values()) == 0
