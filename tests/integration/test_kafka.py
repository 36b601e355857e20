"""The gateway against the running broker."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import stamina
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from concord.contracts.position import Position
from concord.errors import Misconfigured, Unavailable
from concord.gateways.kafka import Kafka
from concord.settings import Settings

pytestmark = pytest.mark.integration

LATEST_CLIENT_CLOCK = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def kafka(settings: Settings) -> Kafka:
    return Kafka(settings.kafka.bootstrap)


@pytest.fixture
def topic(kafka: Kafka) -> Iterator[str]:
    name = f"test.{uuid4().hex[:12]}"
    kafka.create_topics({name: {"message.timestamp.type": "LogAppendTime"}}, partitions=2)
    yield name
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.delete_topics([name])[name].result()


def transactional(kafka: Kafka) -> Producer:
    producer = kafka.producer(transactional_id=uuid4().hex)
    producer.init_transactions()
    return producer


def send(producer: Producer, topic: str, partition: int, *values: bytes) -> None:
    for value in values:
        producer.produce(topic, value, partition=partition)


def end(kafka: Kafka, topic: str) -> dict[int, int]:
    return {partition: offset for _, partition, offset in kafka.end_position([topic])}


def test_a_fresh_topic_holds_nothing(kafka: Kafka, topic: str) -> None:
    assert end(kafka, topic) == {0: -1, 1: -1}


def test_the_marker_of_a_commit_is_no_record(kafka: Kafka, topic: str) -> None:
    producer = transactional(kafka)
    producer.begin_transaction()
    send(producer, topic, 0, b"a", b"b")
    producer.commit_transaction()
    assert end(kafka, topic) == {0: 1, 1: -1}


def test_aborted_records_are_no_records_however_many(kafka: Kafka, topic: str) -> None:
    producer = transactional(kafka)
    producer.begin_transaction()
    send(producer, topic, 1, b"kept")
    producer.commit_transaction()
    for _ in range(100):
        producer.begin_transaction()
        send(producer, topic, 1, b"dropped")
        producer.flush()
        producer.abort_transaction()
    assert end(kafka, topic) == {0: -1, 1: 0}
    assert [record.value for record in kafka.read(topic)] == [b"kept"]


def test_an_open_transaction_is_not_held_yet(kafka: Kafka, topic: str) -> None:
    producer = transactional(kafka)
    producer.begin_transaction()
    send(producer, topic, 0, b"open")
    producer.flush()
    assert end(kafka, topic)[0] == -1
    producer.commit_transaction()
    assert end(kafka, topic)[0] == 0


def test_reading_between_two_positions_gives_what_lies_between(kafka: Kafka, topic: str) -> None:
    producer = kafka.producer()
    send(producer, topic, 0, b"0", b"1", b"2", b"3")
    producer.flush()
    after, until = Position.of([(topic, 0, 0)]), Position.of([(topic, 0, 2)])
    assert [(record.offset, record.value) for record in kafka.read(topic, after, until)] == [(1, b"1"), (2, b"2")]


def test_a_record_keeps_bytes_headers_and_the_time_of_its_arrival(kafka: Kafka, topic: str) -> None:
    producer = kafka.producer()
    producer.produce(topic, None, key=b"\xff", partition=1, timestamp=1, headers=[("a", b"\x00"), ("b", None)])
    producer.flush()
    (record,) = kafka.read(topic)
    assert (record.partition, record.key, record.value) == (1, b"\xff", None)
    assert record.headers == (("a", b"\x00"), ("b", None))
    assert record.timestamp > LATEST_CLIENT_CLOCK


def test_the_lag_is_what_lies_above_the_position(kafka: Kafka, topic: str) -> None:
    producer = kafka.producer()
    send(producer, topic, 0, b"0", b"1", b"2")
    producer.flush()
    assert kafka.lag(Position.of([(topic, 0, 0)]), [topic]) == {topic: 2}


def test_creating_a_topic_again_changes_nothing(kafka: Kafka, topic: str) -> None:
    kafka.create_topics({topic: {"message.timestamp.type": "LogAppendTime"}}, partitions=2)
    assert kafka.partitions()[topic] == 2


def test_another_number_of_partitions_is_refused(kafka: Kafka, topic: str) -> None:
    with pytest.raises(Misconfigured, match=f"{topic} has 2 partitions, 3 are declared"):
        kafka.create_topics({topic: {}}, partitions=3)


def test_a_topic_that_is_not_there_is_named(kafka: Kafka) -> None:
    with pytest.raises(Misconfigured, match=r"has no topic test\.nowhere"):
        kafka.end_position(["test.nowhere"])


def test_a_pinned_group_begins_at_the_first_record_and_is_never_set_back(kafka: Kafka, topic: str) -> None:
    group = f"test.{uuid4().hex}"
    kafka.pin_group(group, topic)
    assert kafka.committed(group, topic) == {0: 0, 1: 0}
    moved = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    moved.commit(offsets=[TopicPartition(topic, 1, 5)], asynchronous=False)
    moved.close()
    kafka.pin_group(group, topic)
    assert kafka.committed(group, topic) == {0: 0, 1: 5}


def test_a_broker_that_is_not_there_is_unavailable() -> None:
    with stamina.set_testing(True), pytest.raises(Unavailable, match=r"Kafka at 127\.0\.0\.1:9 "):
        Kafka("127.0.0.1:9").partitions()
