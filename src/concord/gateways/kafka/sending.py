"""Sending to Kafka in transactions: some records all together, or none of them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from confluent_kafka import KafkaException, Message, Producer

from concord.errors import Unavailable

CLOSE_SECONDS = 30
ANY_PARTITION = -1
ABANDONED_MS = 10_000
"""A sender that dies inside a transaction keeps readers of its partitions waiting so long, and until the broker
looks next (every 10 s)."""

Place = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(frozen=True)
class NewRecord:
    """One record on its way to Kafka."""

    topic: str
    key: str | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    """Where it has to lie; None leaves it to the key."""


class Sender:
    """There is one sender of an identity, the newest: what an earlier one had open is aborted when it opens."""

    def __init__(self, producer: Producer, address: str) -> None:
        self._producer = producer
        self._address = address

    def open(self) -> None:
        """Take the identity over. Afterwards what an earlier sender committed is there for good, and no more comes."""
        try:
            self._producer.init_transactions(CLOSE_SECONDS)
        except KafkaException as error:
            raise self._in_words(error) from error

    def send(self, records: Sequence[NewRecord]) -> list[Place]:
        """Where each record lies, once all are committed. Raises :class:`Unavailable`; then whether they are there
        is certain only after the next :meth:`open`."""
        try:
            return self._commit(records)
        except KafkaException as error:
            raise self._in_words(error) from error

    def _commit(self, records: Sequence[NewRecord]) -> list[Place]:
        self._producer.begin_transaction()
        try:
            deliveries = [self._produce(record) for record in records]
            self._producer.commit_transaction(CLOSE_SECONDS)
        except BaseException:
            with suppress(KafkaException):
                self._producer.abort_transaction(CLOSE_SECONDS)
            raise
        return [delivery.place() for delivery in deliveries]

    def _produce(self, record: NewRecord) -> "_Delivery":
        delivery = _Delivery()
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    partition=ANY_PARTITION if record.partition is None else record.partition,
                    on_delivery=delivery.report,
                )
                return delivery
            except BufferError:
                self._producer.poll(0.1)

    def _in_words(self, error: KafkaException) -> Unavailable:
        reason = error.args[0].str()
        return Unavailable(
            f"Kafka at {self._address} did not take the records: {reason}",
            "if another sender of its kind runs, let it end; else see `concord status`, then try again",
        )


class _Delivery:
    """The broker's word on one record. A commit succeeds only if every one of them is good."""

    def __init__(self) -> None:
        self._message: Message | None = None

    def report(self, error: object, message: Message) -> None:
        if error is None:
            self._message = message

    def place(self) -> Place:
        message = self._message
        if message is None:
            raise Unavailable("Kafka committed a record without saying where it lies", "try again")
        return str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)
