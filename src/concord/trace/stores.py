"""The stores that a row passes, as far as whoever looks for it asks them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from concord.contracts.position import Position, Publication, TopicPartition
from concord.gateways.kafka import Record
from concord.gateways.lake.locate import Located

Row = tuple[Any, ...]


class Source(Protocol):
    def query(self, statement: str, parameters: Sequence[Any] | None = None, /) -> list[Row]: ...


class Log(Protocol):
    def read(self, topic: str, after: Position | None = None, /) -> Iterator[Record]: ...

    def kept(self, topics: Sequence[str], /) -> dict[TopicPartition, tuple[int, int]]: ...


class Speed(Protocol):
    def query(self, sql: str, params: Mapping[str, Any] | None = None, /) -> list[Row]: ...

    def position(self) -> Position: ...


class Lake(Protocol):
    def scan(self, name: str, columns: Sequence[str] = (), row_filter: str | None = None, /) -> pa.Table: ...

    def position(self, name: str, /) -> Position: ...

    def locate(self, name: str, row_filter: str, /) -> list[Located]: ...


class Warehouse(Protocol):
    def query(self, statement: str, parameters: Any = None, /) -> list[Row]: ...

    def records(self, statement: str, parameters: Any = None, /) -> list[dict[str, Any]]: ...

    def publication(self) -> Publication | None: ...


@dataclass(frozen=True)
class Stores:
    """Each is a gateway; a test hands over its own."""

    postgres: Source
    kafka: Log
    speed: Speed
    lake: Lake
    warehouse: Warehouse
