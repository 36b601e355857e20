"""Records that break their contract: rows of ``dead_letters``, and records of the dead-letter topic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.names import MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES
from concord.contracts.tables import POSITION_KEY
from concord.dialects.arrow import arrow_schema
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.speed.batch_token import BatchToken
from concord.speed.failpoint import Failpoint, Step
from concord.speed.tally import offset_ranges

DELIVERY_SECONDS = 30
HELD_BYTES = 64 << 20
"""Of dead letters that wait to go to rest together: all of a micro-batch, unless they are many large ones."""
SIZE_HEADER = "concord.original_bytes"
"""Of a copy that is cut off: how many bytes the original has."""

AT_REST = (
    f"select _topic, _partition, _offset from {DEAD_LETTERS.name} where (_topic, _partition, _offset) in "
    "(select _topic, toInt32(_partition), toInt64(_offset) from letters)"
)


def dead_letters(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of ``dead_letters`` as Arrow."""
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(DEAD_LETTERS))


@dataclass(frozen=True)
class StoreDeadLetters:
    """Takes a micro-batch's dead letters to rest: together, or in parts where they are too large to be held side by side.

    Another attempt may come to other parts, so what is at rest already is looked up by its position.
    """

    store: ClickHouse
    bootstrap: str
    topic: str
    token: BatchToken
    failpoint: Failpoint = field(default_factory=Failpoint)
    waiting: list[pa.Table] = field(default_factory=list)

    def __call__(self, dead: pa.Table) -> None:
        """These too; they may wait for the rest."""
        self.waiting.append(dead)
        if sum(part.nbytes for part in self.waiting) >= HELD_BYTES:
            self.rest()

    def rest(self) -> None:
        """What waits goes into the table once, and into the topic at least once."""
        dead = pa.concat_tables([*self.waiting, dead_letters([])])
        if dead.num_rows:
            self._insert(dead)
        self.failpoint.reached(Step.DEAD_LETTERS_STORED, self.token.query)
        publish(self.bootstrap, self.topic, dead)
        self.failpoint.reached(Step.DEAD_LETTERS_PUBLISHED, self.token.query)
        self.waiting.clear()

    def _insert(self, dead: pa.Table) -> None:
        new = _without(dead, self.store.query_arrow(AT_REST, given={"letters": _as_text(dead)}))
        self.store.insert_arrow(DEAD_LETTERS.name, new, self.token.of(DEAD_LETTERS.name, offset_ranges(new)))


def _as_text(dead: pa.Table) -> pa.Table:
    return dead.select(POSITION_KEY).cast(pa.schema([(name, pa.string()) for name in POSITION_KEY]))


def _without(dead: pa.Table, at_rest: pa.Table) -> pa.Table:
    held = {source_position(row) for row in at_rest.to_pylist()}
    return dead.filter(pa.array([source_position(row) not in held for row in dead.select(POSITION_KEY).to_pylist()]))


def publish(bootstrap: str, topic: str, dead: pa.Table) -> None:
    """Send a copy of every dead letter; return once all are acknowledged.

    The key is the source position, so a copy sent again after a crash can be told. Raises :class:`Unavailable` if the
    broker does not take them.
    """
    if not dead.num_rows:
        return
    failures: list[str] = []
    producer = _producer(bootstrap)
    for row in dead.to_pylist():
        producer.produce(
            topic,
            key=source_position(row),
            value=copied(row["original"]),
            headers=list(headers(row)),
            on_delivery=lambda error, _: failures.append(str(error)) if error else None,
        )
        producer.poll(0)
    waiting = producer.flush(DELIVERY_SECONDS)
    if waiting or failures:
        _producer.cache_clear()
        reason = failures[0] if failures else f"{waiting} records were not acknowledged within {DELIVERY_SECONDS} s"
        raise Unavailable(f"Kafka at {bootstrap} does not take dead letters into {topic}: {reason}")


@lru_cache(maxsize=1)
def _producer(bootstrap: str) -> Any:
    """One per worker process: a new one must first ask the broker for its identity."""
    return Kafka(bootstrap).producer(message_max_bytes=MAX_DEAD_LETTER_BYTES)


def copied(original: bytes | None) -> bytes | None:
    """What a copy holds: all of any record that would fit uncompressed, else its beginning.

    What producers have compressed better than we would do cannot be sent on in whole; the table has it.
    """
    return original[:MAX_MESSAGE_BYTES] if original else original


def source_position(row: Mapping[str, Any]) -> str:
    """``topic/partition/offset`` of the record as it came."""
    return "/".join(str(row[name]) for name in POSITION_KEY)


def headers(row: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Reason, pointer, where the record came from, and its size if the copy is cut off."""
    for name in ("reason", "pointer", *POSITION_KEY):
        yield f"concord.{name.lstrip('_')}", str(row[name]).encode()
    if row["original"] and len(row["original"]) > MAX_MESSAGE_BYTES:
        yield SIZE_HEADER, str(len(row["original"])).encode()
