"""Records into Kafka, each one written into the ledger before it goes and when it has arrived."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from concord.contracts.names import EVENTS_TOPIC
from concord.errors import Misconfigured, Unavailable
from concord.gateways.kafka import Kafka
from concord.ingest.clickstream import Event
from concord.ingest.ledger import EventClass, Ledger

Place = tuple[int, str, int, int]
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record on its way; ``event_class`` is what the ledger will say of it."""

    event_class: str
    event_id: str
    key: str | None
    value: bytes | None

    @classmethod
    def of(cls, event: Event, event_class: str = EventClass.VALID) -> "Outgoing":
        return cls(event_class, event.event_id, event.key, event.encoded())


class Producer(Protocol):
    """The part of a Kafka producer that is used here."""

    def produce(self, *args: Any, **options: Any) -> None: ...

    def poll(self, *args: Any, **options: Any) -> int: ...

    def flush(self, *args: Any, **options: Any) -> int: ...


class Publisher:
    """Sends records to one topic. Nothing is given up silently: what Kafka refuses is raised."""

    def __init__(self, producer: Producer, ledger: Ledger, topic: str = EVENTS_TOPIC) -> None:
        self._producer = producer
        self._ledger = ledger
        self._topic = topic
        self._arrived: list[Place] = []
        self._failure: str | None = None
        self.sent = 0

    def send(self, records: Sequence[Outgoing]) -> None:
        """Hand records over; acknowledgements come in later. Raises :class:`Unavailable` for earlier losses."""
        if not records:
            return
        numbers = self._ledger.intend((record.event_id, record.event_class) for record in records)
        for number, record in zip(numbers, records, strict=True):
            self._produce(record, partial(self._delivered, number))
        self.sent += len(records)
        self._producer.poll(0)
        self._settle()

    def flush(self, patience: float = PATIENCE_SECONDS) -> None:
        """Return when every record sent is acknowledged. Raises :class:`Unavailable` if that takes too long."""
        missing = self._producer.flush(patience)
        self._settle()
        if missing:
            raise Unavailable(f"Kafka topic {self._topic}: {missing} records not acknowledged within {patience:.0f} s")

    def _produce(self, record: Outgoing, on_delivery: Callable[[Any, Any], None]) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value=record.value, key=record.key, on_delivery=on_delivery)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _delivered(self, number: int, error: Any, message: Any) -> None:
        if error is not None:
            self._failure = self._failure or str(error)
        else:
            self._arrived.append((number, message.topic(), message.partition(), message.offset()))

    def _settle(self) -> None:
        arrived, self._arrived = self._arrived, []
        if arrived:
            self._ledger.acknowledge(arrived)
        if self._failure:
            raise Unavailable(f"Kafka topic {self._topic}: a record was refused: {self._failure}", "concord logs kafka")


def publisher(kafka: Kafka, ledger: Ledger, topic: str = EVENTS_TOPIC, **producer: object) -> Publisher:
    """A publisher to a topic that is there. Raises :class:`Unavailable` without a broker, else
    :class:`Misconfigured` without the topic: one that Kafka makes up has the wrong partitions."""
    if topic not in kafka.partitions():
        raise Misconfigured(f"Kafka at {kafka.bootstrap} has no topic {topic}", "concord up creates it")
    return Publisher(kafka.producer(**producer), ledger, topic)
