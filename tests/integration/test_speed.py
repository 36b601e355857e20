"""Kafka to ClickHouse, exactly once: the events query on the real engines, killed on the way."""

import json
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from concord.contracts.events import EventType
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.settings import PROJECT, Settings, child_environment
from concord.speed.failpoint import Step
from tests.factories import event, to_bytes
from tests.speed_database import speed_database

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

GOOD, COPIES = 150, 12
BAD = (b"no json", b"", b"\xff\xfe", json.dumps(event(user_id=None, anonymous_id=None)).encode())
STILL_VALID = (
    to_bytes(event(EventType.SEARCH, seed=501, search_query="🎁")).replace("🎁".encode(), rb"\ud83c\udf81"),
    to_bytes(event(EventType.PAGE_VIEW, seed=502, properties={"a": {"b": {"c": {"d": 1}}}})),
)
"""Valid, though native validation leaves them to the judge."""


@dataclass(frozen=True)
class Scene:
    """A topic with known records, an empty database, and a driver to run over both."""

    store: ClickHouse
    kafka: Kafka
    topic: str
    folder: Path

    def drive(self, failpoint: str = "") -> int:
        """Run the driver to its end; its exit code, negative for a signal."""
        module = ("-m", "tests.integration.speed_driver")
        arguments = (self.store.database, self.topic, str(self.folder), failpoint)
        ended = subprocess.run(
            [sys.executable, *module, *arguments], cwd=PROJECT, env=child_environment(), timeout=600, check=False
        )
        return ended.returncode

    def one(self, sql: str) -> tuple[object, ...]:
        return self.store.query(sql)[0]


@pytest.fixture
def scene(settings: Settings, kafka: Kafka, tmp_path: Path) -> Iterator[Scene]:
    topic = f"test.speed.{uuid.uuid4().hex}"
    log_append_time = {"message.timestamp.type": "LogAppendTime"}
    kafka.create_topics({topic: log_append_time, f"dlq.{topic}": log_append_time}, partitions=4)
    send(kafka, topic)
    with speed_database(settings) as store:
        yield Scene(store, kafka, topic, tmp_path)


def send(kafka: Kafka, topic: str) -> None:
    good = [to_bytes(event(list(EventType)[seed % 9], seed)) for seed in range(1, GOOD + 1)]
    records = [*good, *BAD, *STILL_VALID, *good[:COPIES], None]
    producer = kafka.producer()
    for number, record in enumerate(records):
        producer.produce(topic, value=record, partition=number * 7 % 4)
    assert producer.flush(30) == 0


def assert_exactly_once(scene: Scene) -> None:
    valid, bad = GOOD + len(STILL_VALID), len(BAD) + 1
    assert scene.one("select count(), uniqExact(event_id), uniqExact(_partition, _offset) from events") == (valid,) * 3
    assert scene.one("select count(), uniqExact(_partition, _offset) from dead_letters") == (bad, bad)
    read = valid + bad + COPIES
    sums = "select sum(records_in), sum(stored), sum(dead), sum(duplicate), sum(late) from speed_position"
    assert scene.one(sums) == (read, valid, bad, COPIES, 0)
    assert scene.store.position() == scene.kafka.end_position([scene.topic])


def test_events_dead_letters_and_copies_are_told_apart_and_counted(scene: Scene) -> None:
    assert scene.drive() == 0

    assert_exactly_once(scene)
    # Text is bytes to ClickHouse, so what is no UTF-8 is compared as hexadecimal digits.
    letters = scene.store.query("select hex(assumeNotNull(original)) from dead_letters where original is not null")
    assert Counter(bytes.fromhex(text) for (text,) in letters) == Counter(BAD)
    published = list(scene.kafka.read(f"dlq.{scene.topic}"))
    assert Counter(record.value for record in published) == Counter([*BAD, None])
    headers = dict(published[0].headers)
    place = "/".join(
        (headers[name] or b"").decode() for name in ("concord.topic", "concord.partition", "concord.offset")
    )
    assert published[0].key == place.encode()


def test_kill_9_between_any_two_steps_changes_nothing(scene: Scene) -> None:
    for step in Step:
        assert scene.drive(failpoint=step) == -signal.SIGKILL
    assert scene.drive() == 0

    assert_exactly_once(scene)
    expected = {(record.partition, record.offset) for record in scene.kafka.read(scene.topic)}
    kept = scene.store.query(
        "select _partition, _offset from events union all select _partition, _offset from dead_letters"
    )
    assert set(kept) <= expected
    assert len(expected) - len(kept) == COPIES


def test_a_lost_checkpoint_is_refused_instead_of_storing_everything_twice(scene: Scene) -> None:
    assert scene.drive() == 0

    elsewhere = Scene(scene.store, scene.kafka, scene.topic, scene.folder / "elsewhere")

    assert elsewhere.drive() > 0
    assert_exactly_once(scene)
