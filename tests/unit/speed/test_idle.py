"""The bound moves by the clock only while the store holds everything that Kafka has."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from concord.contracts.position import Position
from concord.errors import Unavailable
from concord.speed.idle import CLOCKS_DIFFER, IdleBound
from concord.speed.lateness import ALLOWED

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Store:
    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.bounds: list[datetime] = []

    def position(self) -> Position:
        return Position.of([("t", 0, self.offset)])

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> int:
        self.bounds += rows["bound"].to_pylist()
        return rows.num_rows


class Broker:
    def __init__(self, offset: int | None) -> None:
        self.offset = offset

    def end_position(self, topics: list[str]) -> Position:
        if self.offset is None:
            raise Unavailable("Kafka does not answer")
        return Position.of([(topics[0], 0, self.offset)])


@pytest.mark.parametrize(("held", "end", "moves"), [(7, 7, True), (6, 7, False), (7, None, False)])
def test_the_bound_moves_only_when_nothing_waits(held: int, end: int | None, moves: bool) -> None:
    store = Store(held)
    IdleBound("q", store, Broker(end), "t", lambda: NOON)()  # type: ignore[arg-type]
    assert store.bounds == ([NOON - CLOCKS_DIFFER - ALLOWED] if moves else [])
