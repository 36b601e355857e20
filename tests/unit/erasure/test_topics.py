"""What may be deleted from Kafka, and what counts as the person's."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from concord.contracts.names import DEAD_LETTER_TOPIC, EVENTS_TOPIC, cdc_topic
from concord.contracts.position import Position, TopicPartition
from concord.contracts.tables import ORDERS, PRODUCTS, USERS
from concord.erasure.person import Person
from concord.erasure.topics import erase, is_about, scan
from concord.erasure.values import stand_in
from concord.gateways.kafka import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Person(42, b"salt", frozenset({"ada@x.org"}), frozenset({"device-1"}), frozenset({7}))
ERASED = {column.name: stand_in(42, column) for column in USERS.columns if column.personal}


def record(topic: str, document: Any, offset: int = 0, key: bytes | None = None) -> Record:
    value = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Record(topic, 0, offset, NOON, key, value)


@pytest.mark.parametrize(
    ("found", "is_theirs"),
    [
        (record(cdc_topic(USERS), {"id": 42, "email": "ada@x.org"}), True),
        (record(cdc_topic(USERS), {"id": 42, **ERASED}), False),
        (record(cdc_topic(USERS), {"id": 43, "email": "ada@x.org"}), False),
        (record(cdc_topic(ORDERS), {"id": 7, "user_id": None, "shipping_address": "1 Road"}), True),
        (record(cdc_topic(ORDERS), {"id": 8, "user_id": 42, "shipping_address": "1 Road"}), True),
        (record(cdc_topic(ORDERS), {"id": 8, "user_id": 42, "shipping_address": None}), False),
        (record(cdc_topic(ORDERS), {"id": 8, "user_id": 1, "shipping_address": "1 Road"}), False),
        (record(EVENTS_TOPIC, {"user_id": 42}), True),
        (record(EVENTS_TOPIC, {"user_id": 421}), False),
        (record(EVENTS_TOPIC, {"anonymous_id": "device-1"}), True),
        (record(EVENTS_TOPIC, b"no json", key=b"device-1"), True),
        (record(EVENTS_TOPIC, {"anonymous_id": "device-12"}, key=b"device-12"), False),
        (record(DEAD_LETTER_TOPIC, b'{"x":"ADA@x.org'), True),
        (record(cdc_topic(USERS), b"ada@x.org"), True),
        (record(cdc_topic(PRODUCTS), {"id": 1, "sku": "device-1"}), False),
    ],
)
def test_a_record_is_the_persons_by_what_it_says(found: Record, is_theirs: bool) -> None:
    assert is_about(ADA, found) is is_theirs


@dataclass
class Topics:
    """Kafka in memory."""

    records: list[Record]
    deleted: dict[TopicPartition, int] = field(default_factory=dict)

    def read(self, topic: str) -> Iterator[Record]:
        return (r for r in self.records if r.topic == topic and r.offset >= self._first(topic))

    def kept(self, topics: Sequence[str]) -> dict[TopicPartition, tuple[int, int]]:
        return {TopicPartition(topic, 0): (self._first(topic), 100) for topic in topics}

    def delete_before(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.deleted |= offsets

    def _first(self, topic: str) -> int:
        return self.deleted.get(TopicPartition(topic, 0), 0)


def clicks(*offsets: int) -> list[Record]:
    return [replace(record(EVENTS_TOPIC, {"user_id": 42 if each % 2 else 1}), offset=each) for each in offsets]


def test_records_go_up_to_the_persons_last_one_and_no_further() -> None:
    kafka = Topics(clicks(0, 1, 2, 3, 4))
    done = list(erase(kafka, ADA, Position.of([(EVENTS_TOPIC, 0, 9)]), apply=True))  # type: ignore[arg-type]
    assert kafka.deleted == {TopicPartition(EVENTS_TOPIC, 0): 4}
    assert sum(each.count for each in done) == 4
    assert sum(each.hits for each in scan(kafka, ADA)) == 0  # type: ignore[arg-type]
    again = list(erase(kafka, ADA, Position.of([(EVENTS_TOPIC, 0, 9)]), apply=True))  # type: ignore[arg-type]
    assert sum(each.count for each in again) == 0


def test_what_a_layer_has_still_to_read_stays_and_is_told() -> None:
    kafka = Topics(clicks(0, 1, 2, 3, 4))
    list(erase(kafka, ADA, Position.of([(EVENTS_TOPIC, 0, 2)]), apply=True))  # type: ignore[arg-type]
    assert kafka.deleted == {TopicPartition(EVENTS_TOPIC, 0): 3}
    assert [each.hits for each in scan(kafka, ADA) if not each.is_settled] == [1]  # type: ignore[arg-type]


def test_counting_deletes_nothing() -> None:
    kafka = Topics(clicks(0, 1))
    assert sum(each.count for each in erase(kafka, ADA, Position.of([(EVENTS_TOPIC, 0, 9)]), apply=False)) == 2  # type: ignore[arg-type]
    assert kafka.deleted == {}
