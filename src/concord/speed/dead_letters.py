"""Records that break their contract: rows of ``dead_letters``, and records of the dead-letter topic."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.tables import POSITION_KEY
from concord.dialects.arrow import arrow_schema
from concord.errors import Unavailable
from concord.gateways.kafka import Kafka

DELIVERY_SECONDS = 30


def dead_letters(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of ``dead_letters`` as Arrow."""
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(DEAD_LETTERS))


def publish(bootstrap: str, topic: str, dead: pa.Table) -> None:
    """Send every dead letter with its original bytes; return once all are acknowledged.

    The key is the source position, so a copy sent again after a crash can be told.
    Raises :class:`Unavailable` if the broker does not take them.
    """
    if not dead.num_rows:
        return
    failures: list[str] = []
    producer = _producer(bootstrap)
    for row in dead.to_pylist():
        producer.produce(
            topic,
            key=source_position(row),
            value=row["original"],
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
    return Kafka(bootstrap).producer(message_max_bytes=16 << 20)


def source_position(row: Mapping[str, Any]) -> str:
    """``topic/partition/offset`` of the record as it came."""
    return "/".join(str(row[name]) for name in POSITION_KEY)


def headers(row: Mapping[str, Any]) -> Iterable[tuple[str, bytes]]:
    """Reason, pointer, and where the record came from."""
    for name in ("reason", "pointer", *POSITION_KEY):
        yield f"concord.{name.lstrip('_')}", str(row[name]).encode()
