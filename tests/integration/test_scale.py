"""``concord scale`` beside the running speed layer."""

import json
import uuid
from datetime import UTC, datetime

import pytest

from concord.cli.scale import Sample, running_since, sample, scale, scaling_settings
from concord.cli.stream import ready_file
from concord.contracts.events import EventType
from concord.contracts.names import EVENTS_TOPIC
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.settings import Settings
from tests.factories import event, to_bytes
from tests.waiting import eventually

pytestmark = pytest.mark.integration

EVENTS = 400


def send(kafka: Kafka) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    producer = kafka.producer()
    for seed in range(1, EVENTS + 1):
        named = {"event_id": str(uuid.uuid4()), "occurred_at": at}
        producer.produce(EVENTS_TOPIC, to_bytes(event(EventType.PAGE_VIEW, seed, **named)), partition=seed % 4)
    assert producer.flush(30) == 0


def last_written(clickhouse: ClickHouse) -> float:
    (newest,) = clickhouse.query("select max(written_at) from speed_position where query = 'speed.events'")[0]
    return newest.timestamp()


def caught_up(settings: Settings, arrived: int) -> Sample | None:
    now = sample(settings)
    return now if now.lag == 0 and now.arrived >= arrived and now.batch else None


def test_advice_rests_on_what_the_running_speed_layer_recorded(
    stack: Settings, kafka: Kafka, clickhouse: ClickHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sample(stack)
    started = datetime.now(UTC).timestamp()
    send(kafka)

    after = eventually(lambda: caught_up(stack, before.arrived + EVENTS), timeout=120)
    assert after is not None
    assert after.arrived - before.arrived == EVENTS
    assert after.batch is not None
    assert 0 < after.batch.records <= EVENTS
    # No batch with these events began before they were sent, or before Spark's own grid of two seconds.
    assert 0 < after.batch.seconds <= last_written(clickhouse) - started + stack.spark.trigger_seconds

    scale(seconds=2, as_json=True)
    stated = json.loads(capsys.readouterr().out)
    assert stated["observations"][-1]["lag_records"] == 0
    assert stated["observations"][-1]["processed_per_second"] == pytest.approx(
        after.batch.records / after.batch.seconds
    )
    # Another test may have started the driver anew a moment ago.
    age = datetime.now(UTC) - running_since(ready_file(stack))
    is_young = age.total_seconds() < scaling_settings(stack).cool_down_seconds
    assert (stated["advice"]["executors"], stated["advice"]["reason"]) == (1, "cooling_down" if is_young else "steady")
