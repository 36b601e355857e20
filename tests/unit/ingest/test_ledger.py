"""The ledger, and the publisher that keeps it."""

from collections.abc import Callable
from typing import Any

import pytest

from concord.errors import Unavailable
from concord.ingest.ledger import EventClass, Ledger, Total
from concord.ingest.publish import Outgoing, Publisher


class Message:
    def __init__(self, topic: str, offset: int) -> None:
        self._topic, self._offset = topic, offset

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


class FakeProducer:
    """Delivers on poll and flush; refuses or withholds what it is told to; its queue holds ``room`` records."""

    def __init__(self, refused: bytes | None = None, withheld: int = 0, room: int = 100) -> None:
        self.refused, self.withheld, self.room = refused, withheld, room
        self.queue: list[Callable[[], None]] = []
        self.log: list[bytes | None] = []

    def produce(
        self, topic: str, value: bytes | None, key: str | None, on_delivery: Callable[[Any, Any], None]
    ) -> None:
        if len(self.queue) >= self.room:
            raise BufferError
        if value is not None and value == self.refused:
            self.queue.append(lambda: on_delivery("message too large", None))
            return
        self.log.append(value)
        message = Message(topic, len(self.log) - 1)
        self.queue.append(lambda: on_delivery(None, message))

    def poll(self, timeout: float) -> int:
        delivered = 0
        while len(self.queue) > self.withheld:
            self.queue.pop(0)()
            delivered += 1
        return delivered

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return len(self.queue)


def outgoing(event_id: str, event_class: str = EventClass.VALID, value: bytes | None = b"{}") -> Outgoing:
    return Outgoing(event_class, event_id, "device", value)


def test_every_record_is_in_the_ledger_with_its_class_and_place() -> None:
    with Ledger(":memory:") as ledger:
        publisher = Publisher(FakeProducer(), ledger, "events")
        publisher.send([outgoing("a"), outgoing("b", "invalid:empty", b""), outgoing("a", EventClass.DUPLICATE)])
        publisher.flush()
        assert [(e.event_id, e.event_class, e.topic, e.partition, e.offset) for e in ledger.entries()] == [
            ("a", "valid", "events", 0, 0),
            ("b", "invalid:empty", "events", 0, 1),
            ("a", "duplicate", "events", 0, 2),
        ]
        assert ledger.expected_events() == {"a"}
        assert ledger.expected_dead_letters() == {("events", 0, 1)}


def test_a_record_without_acknowledgement_is_known_to_be_sent_and_no_more() -> None:
    with Ledger(":memory:") as ledger:
        publisher = Publisher(FakeProducer(withheld=1), ledger, "events")
        publisher.send([outgoing("a"), outgoing("b")])
        with pytest.raises(Unavailable, match="1 records not acknowledged"):
            publisher.flush()
        assert ledger.totals() == {"valid": Total(sent=2, acknowledged=1)}
        assert ledger.expected_events() == {"a"}


def test_a_refused_record_stops_the_publisher() -> None:
    with Ledger(":memory:") as ledger:
        publisher = Publisher(FakeProducer(refused=b"huge"), ledger, "events")
        with pytest.raises(Unavailable, match="message too large"):
            publisher.send([outgoing("a", value=b"huge")])


def test_a_full_queue_is_waited_for() -> None:
    producer = FakeProducer(room=1)
    with Ledger(":memory:") as ledger:
        publisher = Publisher(producer, ledger, "events")
        publisher.send([outgoing(str(number)) for number in range(10)])
        publisher.flush()
        assert ledger.totals() == {"valid": Total(10, 10)}


def test_future_and_invalid_records_are_expected_among_the_dead_letters() -> None:
    with Ledger(":memory:") as ledger:
        publisher = Publisher(FakeProducer(), ledger, "events")
        classes = [EventClass.LATE, EventClass.OUT_OF_ORDER, EventClass.FUTURE, "invalid:no_json"]
        publisher.send([outgoing(name, name) for name in classes])
        publisher.flush()
        assert ledger.expected_events() == {"late", "out_of_order"}
        assert {offset for _, _, offset in ledger.expected_dead_letters()} == {2, 3}


def test_notes_about_the_run_are_kept() -> None:
    with Ledger(":memory:") as ledger:
        ledger.note(seed=1, name="run")
        ledger.note(seed=2)
        assert ledger.notes() == {"seed": "2", "name": "run"}
