"""A start over an old checkpoint: what Kafka, the store and the code have to say against it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from concord.contracts.position import Position, TopicPartition
from concord.errors import Misconfigured
from concord.gateways.kafka import TopicIdentity
from concord.speed.checkpoints.made_with import FILE, MadeWith
from concord.speed.checkpoints.preflight import Preflight

QUERY = "speed.events"
PARTITION = TopicPartition("events", 0)
MADE = MadeWith("3.5.7", {"events": TopicIdentity("aaa", 1)}, {}, {})


@dataclass
class Files:
    """A folder in memory."""

    files: dict[str, bytes] = field(default_factory=dict)
    address: str = "s3a://bucket/speed"

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, content: bytes) -> None:
        self.files[path] = content

    def names(self, folder: str) -> list[str]:
        return [path.removeprefix(f"{folder}/") for path in self.files if path.startswith(f"{folder}/")]


@dataclass
class Topic:
    """One partition that keeps the offsets from ``first`` up to before ``end``."""

    first: int = 0
    end: int = 100
    records: tuple[int, ...] = tuple(range(100))

    def kept(self, topics: list[str]) -> dict[TopicPartition, tuple[int, int]]:
        return {PARTITION: (self.first, self.end)}

    def read(self, topic: str, after: Position, until: Position) -> Iterator[int]:
        return (offset for offset in self.records if after[PARTITION] < offset <= until[PARTITION])


@dataclass
class Held:
    """A store that holds up to ``offset``, written last by ``batch_id``."""

    batch_id: int | None = 7
    offset: int = 39

    def query(self, sql: str, params: dict[str, Any]) -> list[tuple[int | None]]:
        return [(self.batch_id,)]

    def position(self) -> Position:
        return Position({PARTITION: self.offset})


def checkpoint(planned: int = 7, committed: int = 7, end: int = 40) -> Files:
    """Each micro-batch holds ten offsets; the last ends before ``end``."""
    files = {f"{QUERY}/metadata": b'{"id":"3f1c"}', f"{QUERY}/{FILE}": MADE.as_json()}
    for number in range(planned + 1):
        to = end - 10 * (planned - number)
        files[f"{QUERY}/offsets/{number}"] = f'v1\n{{}}\n{{"events":{{"0":{to}}}}}'.encode()
    for number in range(committed + 1):
        files[f"{QUERY}/commits/{number}"] = b"v1\n{}"
    return Files(files)


def start(files: Files, topic: Topic | None = None, held: Held | None = None, now: MadeWith = MADE) -> None:
    preflight = Preflight(files, topic or Topic(), held or Held(), QUERY)  # type: ignore[arg-type]
    preflight(now, is_ordered_by_partition=False)


def refusal(*arguments: Any, **named: Any) -> str:
    with pytest.raises(Misconfigured) as refused:
        start(*arguments, **named)
    assert refused.value.hint
    return refused.value.message


def test_a_first_start_notes_what_the_checkpoint_is_made_with() -> None:
    files = Files()

    start(files, held=Held(None, -1))

    assert MadeWith.from_json(files.files[f"{QUERY}/{FILE}"]) == MADE


def test_a_checkpoint_that_fits_is_gone_on_from() -> None:
    start(checkpoint())


def test_rows_without_a_checkpoint_are_refused() -> None:
    assert "is gone" in refusal(Files())


def test_an_open_micro_batch_may_have_stored_its_rows() -> None:
    start(checkpoint(planned=8, committed=7, end=50), held=Held(8, 49))


def test_what_kafka_kept_no_longer_is_named_by_its_offsets() -> None:
    told = refusal(checkpoint(), Topic(first=55))

    assert "events-0 is kept from offset 55 on, offsets 40 to 54 were not read" in told


def test_a_topic_that_ends_before_the_checkpoint_is_refused() -> None:
    assert "events-0 ends before offset 12, it was read up to 39" in refusal(checkpoint(), Topic(end=12))


def test_a_topic_made_again_is_refused_with_both_identities() -> None:
    now = replace(MADE, topics={"events": TopicIdentity("bbb", 1)})

    assert "topic events was aaa, is bbb" in refusal(checkpoint(), now=now)


def test_a_refused_change_is_not_noted() -> None:
    files = checkpoint()

    refusal(files, now=replace(MADE, spark="2.4.0"))

    assert MadeWith.from_json(files.files[f"{QUERY}/{FILE}"]) == MADE


def test_a_harmless_change_is_noted() -> None:
    files, now = checkpoint(), replace(MADE, spark="3.6.0")

    start(files, now=now)

    assert MadeWith.from_json(files.files[f"{QUERY}/{FILE}"]) == now


def test_a_checkpoint_of_unknown_making_is_compared_from_now_on() -> None:
    files = checkpoint()
    del files.files[f"{QUERY}/{FILE}"]

    start(files)

    assert f"{QUERY}/{FILE}" in files.files


def test_a_note_that_is_cut_short_is_refused() -> None:
    files = checkpoint()
    files.files[f"{QUERY}/{FILE}"] = MADE.as_json()[:-9]

    assert f"{FILE} is empty or cut short" in refusal(files)


def test_a_checkpoint_older_than_the_store_is_refused() -> None:
    assert "it ends with micro-batch 7, the store holds micro-batch 9" in refusal(checkpoint(), held=Held(9, 59))


def test_rows_that_the_store_has_lost_are_named() -> None:
    told = refusal(checkpoint(), held=Held(3, 19))

    assert "events-0 was read up to 39, the store holds it up to 19" in told


def test_transaction_markers_are_no_rows_that_were_lost() -> None:
    start(checkpoint(), Topic(records=tuple(range(38))), Held(7, 37))
