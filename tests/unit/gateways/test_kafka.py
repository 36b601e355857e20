"""How the last data record of a partition is found behind markers and aborted records."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from concord.gateways.kafka.reading import FIRST_STEP_BACK, last_record


@dataclass
class Found:
    """A record, or the end of the partition where there is no offset."""

    at: int | None

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF) if self.at is None else None

    def offset(self) -> int | None:
        return self.at


@dataclass
class Partition:
    """A consumer of one partition: ``records`` are the offsets that hold data, ``end`` is behind the last offset."""

    records: list[int]
    end: int
    low: int = 0
    starts: list[int] = field(default_factory=list)
    _pending: list[Found] = field(default_factory=list)

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float) -> tuple[int, int]:
        return self.low, self.end

    def assign(self, partitions: list[TopicPartition]) -> None:
        start = partitions[0].offset
        self.starts.append(start)
        self._pending = [Found(at) for at in self.records if at >= start] + [Found(None)]

    def poll(self, timeout: float) -> Found | None:
        return self._pending.pop(0) if self._pending else None


def last(partition: Any) -> int:
    return last_record(partition, "topic", 0)


def test_an_empty_partition_holds_nothing() -> None:
    assert last(Partition([], end=0)) == -1


def test_a_partition_whose_records_have_expired_holds_nothing() -> None:
    assert last(Partition([], low=9, end=9)) == -1


def test_a_record_at_the_end_is_the_last() -> None:
    assert last(Partition([0, 1, 2], end=3)) == 2


def test_a_marker_at_the_end_is_no_record() -> None:
    assert last(Partition([0, 1, 2], end=4)) == 2


def test_markers_alone_hold_nothing() -> None:
    partition = Partition([], end=500_000)
    assert last(partition) == -1
    assert len(partition.starts) < 6


@pytest.mark.parametrize("markers", [1, FIRST_STEP_BACK - 1, FIRST_STEP_BACK, FIRST_STEP_BACK + 1, 40_000])
def test_a_record_is_found_behind_any_number_of_markers(markers: int) -> None:
    assert last(Partition([0, 7], end=8 + markers)) == 7


def test_it_looks_near_the_end_first() -> None:
    partition = Partition([*range(100_000)], end=100_000)
    last(partition)
    assert partition.starts == [100_000 - FIRST_STEP_BACK]


def test_it_never_looks_before_what_is_kept() -> None:
    partition = Partition([], low=100, end=150)
    last(partition)
    assert partition.starts == [100]


def test_silence_is_an_error_and_not_an_empty_partition() -> None:
    class Silent(Partition):
        def poll(self, timeout: float) -> Found | None:
            return None

    with pytest.raises(KafkaException, match="no record within"):
        last(Silent([0], end=1))
