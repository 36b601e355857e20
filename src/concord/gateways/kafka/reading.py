"""Reading Kafka by hand: where a partition's records end, and the records themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from concord.contracts.position import NOTHING_HELD

ANSWER_SECONDS = 10
FIRST_STEP_BACK = 64
"""Offsets looked at first from the end: an idle topic ends in a few markers, rarely more."""
STEP_GROWTH = 16

QUIET = {"log_level": 2}
"""The client library would print on the console what we raise or try again anyway."""

CONSUMER = {
    **QUIET,
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "fetch.wait.max.ms": 20,
    "fetch.error.backoff.ms": 50,
}


@dataclass(frozen=True)
class Record:
    """One data record. ``timestamp`` is Kafka's, aware UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Consuming:
    """A consumer that is assigned by hand: the group's name matters only for committed offsets."""

    def __init__(self, bootstrap: str, group: str = "concord.positions") -> None:
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, **CONSUMER})

    def __enter__(self) -> Consumer:
        return self._consumer

    def __exit__(self, *_: object) -> None:
        self._consumer.close()


def edges(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """First offset there is, and the one behind the last stable one (the consumer reads committed)."""
    edges = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
    if edges is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no watermarks of {topic}-{partition}"))
    return edges


def last_record(consumer: Consumer, topic: str, partition: int) -> int:
    """Looks back from the end in growing steps until a data record turns up."""
    low, end = edges(consumer, topic, partition)
    step, start = FIRST_STEP_BACK, end
    while start > low:
        start = max(low, end - step)
        found = _last_record_from(consumer, TopicPartition(topic, partition, start), end)
        if found != NOTHING_HELD:
            return found
        step *= STEP_GROWTH
    return NOTHING_HELD


def _last_record_from(consumer: Consumer, start: TopicPartition, end: int) -> int:
    consumer.assign([start])
    last = NOTHING_HELD
    for message in messages(consumer):
        if at_end(message):
            return last
        last = offset_of(message)
        if last >= end - 1:
            return last
    return last


def messages(consumer: Consumer) -> Iterator[Message]:
    """Messages and ends of partitions as they come; any other error is raised."""
    while True:
        message = consumer.poll(ANSWER_SECONDS)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no record within {ANSWER_SECONDS} s"))
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        yield message


def at_end(message: Message) -> bool:
    return message.error() is not None


def offset_of(message: Message) -> int:
    offset = message.offset()
    if offset is None:
        raise KafkaException(KafkaError(KafkaError._BAD_MSG, "a record without an offset"))
    return offset


def record(message: Message) -> Record:
    _, milliseconds = message.timestamp()
    return Record(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=offset_of(message),
        timestamp=datetime.fromtimestamp(milliseconds / 1000, UTC),
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=_headers(message),
    )


def _headers(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    pairs = cast("list[tuple[str, str | bytes | None]]", message.headers() or [])
    return tuple((name, _bytes(value)) for name, value in pairs)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
