"""Stores that hold what a test puts into them. A statement is answered by the first of the words that stands in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from concord.contracts.position import Position, Publication, TopicPartition
from concord.gateways.kafka import Record
from concord.gateways.lake.locate import Located
from concord.trace.stores import Stores

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Row = tuple[Any, ...]
BYTES = pa.large_binary()


@dataclass
class Answers:
    """PostgreSQL, ClickHouse or the warehouse."""

    known: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    held: Position = field(default_factory=Position)
    published: Publication | None = None

    def query(self, statement: str, parameters: object = None) -> list[Row]:
        return next((list(rows) for word, rows in self.known.items() if word in statement), self._nothing(statement))

    def records(self, statement: str, parameters: object = None) -> list[dict[str, Any]]:
        return [dict(row) for row in next((rows for word, rows in self.known.items() if word in statement), ())]

    def _nothing(self, statement: str) -> list[Row]:
        return [(0,)] if "count()" in statement else []

    def position(self) -> Position:
        return self.held

    def publication(self) -> Publication | None:
        return self.published


@dataclass
class Log:
    """Kafka."""

    records: Sequence[Record] = ()
    first: int = 0

    def read(self, topic: str, after: Position | None = None) -> Iterator[Record]:
        above = after or Position()
        for record in self.records:
            if record.topic == topic and record.offset > above[TopicPartition(topic, record.partition)]:
                yield record

    def kept(self, topics: Sequence[str]) -> dict[TopicPartition, tuple[int, int]]:
        return {TopicPartition(topic, partition): (self.first, 1000) for topic in topics for partition in range(4)}


@dataclass
class Lake:
    """Rows and files by table."""

    rows: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: Mapping[str, list[Located]] = field(default_factory=dict)
    held: Position = field(default_factory=Position)

    def scan(self, name: str, columns: Sequence[str] = (), row_filter: str | None = None) -> pa.Table:
        rows = self.rows.get(name, [])
        return pa.table({c: pa.array([row[c] for row in rows], BYTES if c == "value" else None) for c in columns})

    def position(self, name: str) -> Position:
        return self.held

    def locate(self, name: str, row_filter: str) -> list[Located]:
        return self.files.get(name, [])


def stores(
    postgres: Answers | None = None,
    kafka: Log | None = None,
    speed: Answers | None = None,
    lake: Lake | None = None,
    warehouse: Answers | None = None,
) -> Stores:
    return Stores(postgres or Answers(), kafka or Log(), speed or Answers(), lake or Lake(), warehouse or Answers())
