"""A small benchmark against the running speed layer: its figures are there, and its check can tell right from wrong."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from concord.bench import at_rest, recorded
from concord.bench.batch import Step, run, with_needed
from concord.bench.expected import Totals, differences
from concord.bench.history import fill
from concord.bench.publication import publication
from concord.bench.questions import QUESTIONS
from concord.bench.ranges import Since
from concord.bench.record import Recording, record
from concord.bench.recorded import Fate
from concord.bench.replay import Replay
from concord.bench.schedule import steady
from concord.bench.speed import Bench
from concord.cli.batch import tools
from concord.cli.bench import Told
from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.events import EVENTS
from concord.contracts.names import EVENTS_QUERY, EVENTS_TOPIC, TOPIC_PARTITIONS
from concord.contracts.position import TopicPartition
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.rules.quality import Accepted, judge
from concord.settings import Settings
from concord.speed.enrich import enrichment
from concord.telemetry.clock import now
from tests.speed_database import speed_database

pytestmark = pytest.mark.integration

RATE, SECONDS = 200, 5


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.arrow"
    recorded.write(path, record(Recording(events=800, visitors=50, held=100)))
    return path


def test_the_query_that_is_measured_is_the_one_of_events() -> None:
    assert at_rest.QUERY == EVENTS_QUERY


def test_a_run_begins_behind_records_that_have_been_deleted(kafka: Kafka) -> None:
    topic = f"test.{uuid4().hex[:12]}"
    kafka.create_topics({topic: {}}, TOPIC_PARTITIONS)
    producer = kafka.producer()
    for partition in range(TOPIC_PARTITIONS):
        producer.produce(topic, b"x", partition=partition)
    producer.flush(30)
    kafka.delete_before({TopicPartition(topic, 0): 1})
    assert Since.now(kafka, topic).starts == [1] * TOPIC_PARTITIONS


def test_a_history_answers_every_question_of_a_dashboard(settings: Settings) -> None:
    with speed_database(settings) as store:
        filled = fill(store, events=8_000, end=int(now().timestamp()), say=lambda _: None)
        answers = {name: store.query(f"{question} {MARKED}") for name, question in QUESTIONS.items()}
        read = tables_read(store)
    assert (filled["events"], filled["sessions"], filled["orders_current"]) == (8_000, 1_000, 50)
    assert [name for name, rows in answers.items() if not rows and name not in OF_THE_LAST_MINUTES] == []

    assert {"funnel_minutes", "sessions", "activity_minutes", "orders_current"} <= read
    assert not read & RAW, "a question reads every event"


RAW = {EVENTS.name, LATE_EVENTS.name, "owner_events", "recent_ids"}
MARKED = "settings log_comment = 'question'"


def tables_read(store: ClickHouse) -> set[str]:
    """By all questions together, through whatever views."""
    store.command("system flush logs")
    asked = store.query(
        "select tables from system.query_log where type = 'QueryFinish' and log_comment = 'question' "
        "and current_database = currentDatabase()"
    )
    assert len(asked) == len(QUESTIONS)
    return {name.split(".")[1] for (names,) in asked for name in names}


OF_THE_LAST_MINUTES = ("open sessions and their carts",)
"""A history ends two hours ago."""


def test_what_the_store_says_of_enriched_rows_is_what_the_seed_says(settings: Settings, file: Path) -> None:
    recording = recorded.read(file)
    received = now()  # an old one would not be kept
    replay = Replay(recording, steady(1000, 1, round(received.timestamp() * 1000)), run=1)
    values = [value for chunk in replay.chunks(0, len(recording)) for value in chunk.values]
    verdicts = zip(recording.numbers("fate"), (judge(value, received) for value in values), strict=True)
    rows = [verdict.row() for fate, verdict in verdicts if fate == Fate.STORED and isinstance(verdict, Accepted)]
    placed = [{**row, **positioned(number, received)} for number, row in enumerate(rows)]
    with speed_database(settings) as store:
        publication(recording.seed).publish(store)
        came = pa.Table.from_pylist(placed, schema=arrow_schema(EVENTS))
        assert store.insert_arrow(EVENTS.name, enrichment(store, 1).applied(came), "test") == len(rows) > 0
        held = at_rest.totals(store, Since([0] * TOPIC_PARTITIONS))
    expected = {kind: total for kind, total in replay.totals().kinds.items() if kind.startswith("events/")}
    assert held.kinds == expected


def positioned(number: int, received: datetime) -> dict[str, Any]:
    return {"_topic": EVENTS_TOPIC, "_partition": 0, "_offset": number, "_timestamp": received}


def test_a_paced_run_is_right_and_has_its_figures(
    stack: Settings, kafka: Kafka, clickhouse: ClickHouse, file: Path
) -> None:
    since = Since.now(kafka)
    measured = Bench(stack, file).paced(RATE, SECONDS)

    assert list(measured.differences) == []
    figures = measured.figures
    assert figures["records"] == RATE * SECONDS
    assert sum(figures["fates"].values()) == RATE * SECONDS
    fresh = figures["freshness_seconds"]
    assert fresh["rows"] == figures["fates"]["stored"]
    assert 0 < fresh["p50"] <= fresh["p99"] <= fresh["max"] < 60
    assert set(measured.hops) == {"broker", "spark", "clickhouse"}
    assert all(cost["cpu_us_per_event"] > 0 for cost in measured.hops.values())
    assert figures["micro_batches"]["batches"] > 0

    # The same rows are wrong for a run that sent nothing.
    assert differences(Totals(), at_rest.totals(clickhouse, since))


def test_a_small_run_of_the_batch_layers_lake_is_right_and_has_its_figures(settings: Settings) -> None:
    plan = run.Plan("batch", "concord bench batch", 2_000, 1, with_needed([Step.MERGE, Step.COMPACTION]))
    document = run.batch(settings, plan, tools, Told(), lambda text: None)

    assert document["checks"]["differences"] == []
    steps = document["result"]["steps"]
    assert steps["merge"]["changed"] == round(steps["merge"]["rows"] / 100)
    assert steps["compaction"]["files_after"] < steps["compaction"]["files_before"]
    assert all(step["seconds"] > 0 and step["peak_bytes"] > 0 for step in steps.values())
    assert steps["merge"]["cpu_seconds"]["spark"] > 0
