"""Kafka: topics, positions, and records between two positions."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import stamina
from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from concord.contracts.position import NOTHING_HELD, Position
from concord.contracts.position import TopicPartition as Partition
from concord.errors import Misconfigured, Unavailable
from concord.gateways.kafka.reading import (
    ANSWER_SECONDS,
    QUIET,
    Consuming,
    Record,
    at_end,
    edges,
    last_record,
    messages,
    offset_of,
    record,
)
from concord.gateways.kafka.sending import ABANDONED_MS, NewRecord, Sender

__all__ = ["Kafka", "NewRecord", "Record", "Sender", "TopicIdentity"]

T = TypeVar("T")

PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 20,
}
TRANSIENT = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._WAIT_COORD,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)


@dataclass(frozen=True)
class TopicIdentity:
    """A topic that is deleted and made again has another ``id``, whatever it is called."""

    id: str
    partitions: int


class Kafka:
    """One cluster. Every read is ``read_committed``: what an aborted transaction left is not there."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def producer(self, **overrides: object) -> Producer:
        """An idempotent producer; ``overrides`` are librdkafka settings with ``_`` for the dots."""
        named = {key.replace("_", "."): value for key, value in overrides.items()}
        return Producer({"bootstrap.servers": self.bootstrap, **QUIET, **PRODUCER, **named})

    def sender(self, identity: str) -> Sender:
        """Sends all or none, and only while no newer sender of this ``identity`` has been opened."""
        producer = self.producer(transactional_id=identity, transaction_timeout_ms=ABANDONED_MS)
        return Sender(producer, self.bootstrap)

    def create_topics(self, topics: Mapping[str, Mapping[str, str]], partitions: int) -> None:
        """Make sure that the topics (name → config) exist so; a second call changes nothing.

        Raises :class:`Misconfigured` if one exists with another number of partitions: a key must
        never change partition, so Concord does not add any.
        """
        present = self.partitions()
        self._create([NewTopic(n, partitions, 1, config=dict(c)) for n, c in topics.items() if n not in present])
        for name, count in self._listed(topics).items():
            if count != partitions:
                raise Misconfigured(
                    f"Kafka topic {name} has {count} partitions, {partitions} are declared",
                    "a topic's number of partitions is fixed for its life: recreate it by `concord reset`",
                )
        self._configure({name: config for name, config in topics.items() if name in present and config})

    def pin_group(self, group: str, topic: str) -> None:
        """Let ``group`` begin at the first record of ``topic``; one that has an offset there is left alone."""
        self._ask(f"pin group {group}", lambda: self._pin_group(group, topic))

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Per partition the offset that ``group`` reads next, −1 where it has committed none."""
        return self._ask(f"look up group {group}", lambda: self._committed(group, topic))

    def partitions(self) -> dict[str, int]:
        """Every topic's number of partitions."""
        metadata = self._ask("list topics", lambda: self._admin.list_topics(timeout=ANSWER_SECONDS))
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    def described(self, topics: Sequence[str]) -> dict[str, TopicIdentity]:
        """Identity and number of partitions of each topic. Raises :class:`Misconfigured` for one that is not there."""
        self._refuse_missing(topics, self.partitions())
        asked = TopicCollection(list(topics))
        found = self._ask("describe topics", lambda: self._results(self._admin.describe_topics(asked)))
        return {each.name: TopicIdentity(str(each.topic_id), len(each.partitions)) for each in found}

    def kept(self, topics: Sequence[str]) -> dict[Partition, tuple[int, int]]:
        """Per partition the first offset that is still kept, and the one after the last that may be read."""
        return self._ask("find what is kept", lambda: self._kept(topics))

    def delete_before(self, offsets: Mapping[Partition, int]) -> None:
        """Delete the records of each partition below its offset: nobody can read them any more."""
        wanted = [TopicPartition(place.topic, place.partition, offset) for place, offset in offsets.items()]
        self._finish("delete records", lambda: self._admin.delete_records(wanted))

    def end_position(self, topics: Sequence[str]) -> Position:
        """Per partition the offset of the last committed data record, −1 if there is none."""
        return self._ask("find the last records", lambda: self._end_position(topics))

    def start_position(self, topic: str) -> Position:
        """Per partition the offset before the first that ``topic`` still keeps."""
        return self._ask(f"find the first records of {topic}", lambda: self._start_position(topic))

    def lag(self, held: Position, topics: Sequence[str]) -> dict[str, int]:
        """Per topic how many offsets lie above ``held``; transaction markers count, so it is an upper bound."""
        end = self.end_position(topics)
        return {
            topic: sum(
                max(0, offset - held[Partition(topic, partition)]) for _, partition, offset in end.of_topic(topic)
            )
            for topic in topics
        }

    def read(self, topic: str, after: Position | None = None, until: Position | None = None) -> Iterator[Record]:
        """Every data record of ``topic`` above ``after`` up to ``until`` (the end if not given)."""
        after = after or Position()
        until = (until or self.end_position([topic])).of_topic(topic)
        with self._in_words(f"read {topic}"):
            for _, partition, last in until:
                first = after[Partition(topic, partition)] + 1
                if first <= last:
                    yield from self._read_partition(topic, partition, first, last)

    def _read_partition(self, topic: str, partition: int, first: int, last: int) -> Iterator[Record]:
        with Consuming(self.bootstrap) as consumer:
            low = edges(consumer, topic, partition)[0]
            consumer.assign([TopicPartition(topic, partition, max(first, low))])
            for message in messages(consumer):
                if at_end(message) or offset_of(message) > last:
                    return
                yield record(message)
                if offset_of(message) == last:
                    return

    def _end_position(self, topics: Sequence[str]) -> Position:
        with Consuming(self.bootstrap) as consumer:
            present = consumer.list_topics(timeout=ANSWER_SECONDS).topics
            self._refuse_missing(topics, present)
            return Position.of(
                (topic, partition, last_record(consumer, topic, partition))
                for topic in topics
                for partition in present[topic].partitions
            )

    def _start_position(self, topic: str) -> Position:
        with Consuming(self.bootstrap) as consumer:
            partitions = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
            return Position.of((topic, each, edges(consumer, topic, each)[0] - 1) for each in partitions)

    def _kept(self, topics: Sequence[str]) -> dict[Partition, tuple[int, int]]:
        with Consuming(self.bootstrap) as consumer:
            present = consumer.list_topics(timeout=ANSWER_SECONDS).topics
            self._refuse_missing(topics, present)
            places = [Partition(topic, number) for topic in topics for number in present[topic].partitions]
            return {place: edges(consumer, place.topic, place.partition) for place in places}

    def _refuse_missing(self, topics: Sequence[str], present: Container[str]) -> None:
        missing = [topic for topic in topics if topic not in present]
        if missing:
            raise Misconfigured(
                f"Kafka at {self.bootstrap} has no topic {', '.join(missing)}", "`concord up` creates it"
            )

    def _pin_group(self, group: str, topic: str) -> None:
        fresh = [partition for partition, offset in self._committed(group, topic).items() if offset < 0]
        if fresh:
            with Consuming(self.bootstrap, group) as consumer:
                first = [TopicPartition(topic, partition, 0) for partition in fresh]
                consumer.commit(offsets=first, asynchronous=False)

    def _committed(self, group: str, topic: str) -> dict[int, int]:
        with Consuming(self.bootstrap, group) as consumer:
            found = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            held = consumer.committed([TopicPartition(topic, p) for p in found.partitions], timeout=ANSWER_SECONDS)
            return {partition.partition: max(partition.offset, NOTHING_HELD) for partition in held}

    def _create(self, topics: list[NewTopic]) -> None:
        if topics:
            self._finish("create topics", lambda: self._admin.create_topics(topics), KafkaError.TOPIC_ALREADY_EXISTS)

    def _listed(self, topics: Iterable[str]) -> dict[str, int]:
        """Their numbers of partitions, once the broker has heard of each: the controller knows before it."""

        def every() -> dict[str, int]:
            present = self.partitions()
            missing = [topic for topic in topics if topic not in present]
            if missing:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"no topic {missing[0]} yet"))
            return {topic: present[topic] for topic in topics}

        return self._ask("list topics", every)

    def _configure(self, topics: Mapping[str, Mapping[str, str]]) -> None:
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                name,
                incremental_configs=[
                    ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                    for key, value in config.items()
                ],
            )
            for name, config in topics.items()
        ]
        if resources:
            self._finish("configure topics", lambda: self._admin.incremental_alter_configs(resources))

    def _finish(self, what: str, start: Callable[[], Mapping[Any, Any]], fine: int | None = None) -> None:
        """Wait for every future of one admin request; an error with the code ``fine`` is none."""

        def every() -> None:
            for future in start().values():
                try:
                    future.result(timeout=ANSWER_SECONDS)
                except KafkaException as error:
                    if error.args[0].code() != fine:
                        raise

        self._ask(what, every)

    def _results(self, futures: Mapping[Any, Any]) -> list[Any]:
        return [future.result(timeout=ANSWER_SECONDS) for future in futures.values()]

    @cached_property
    def _admin(self) -> AdminClient:
        """Kept, because a client that is let go takes its open requests with it."""
        return AdminClient({"bootstrap.servers": self.bootstrap, **QUIET})

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        """The answer; transient errors are tried again for about half a minute."""
        with self._in_words(what):
            for attempt in stamina.retry_context(on=_is_transient, attempts=5, timeout=30):
                with attempt:
                    return call()
        raise AssertionError("a retry context ends in a result or an error")

    @contextmanager
    def _in_words(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            kind = Unavailable if _is_transient(error) else Misconfigured
            reason = f"Kafka at {self.bootstrap} could not {what}: {error.args[0].str()}"
            raise kind(reason, "see `concord status`") from error


def _is_transient(error: Exception) -> bool:
    if not isinstance(error, KafkaException):
        return False
    cause = error.args[0]
    return cause.retriable() or cause.code() in TRANSIENT
