"""A micro-batch whose store does not answer: tried again, and not in vain."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import stamina

from concord.errors import Unavailable
from concord.speed.batch_token import BatchToken
from concord.speed.micro_batch import MicroBatch
from concord.speed.tally import Done

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORDS: Any = SimpleNamespace(
    sparkSession=SimpleNamespace(sparkContext=SimpleNamespace(getLocalProperty=lambda name: "checkpoint"))
)


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=20):
        yield


@dataclass
class Away:
    """A store that does not answer the first ``unanswered`` questions."""

    unanswered: int
    asked: int = 0
    positions: int = 0

    def query(self, sql: str) -> list[tuple[int]]:
        self.asked += 1
        if self.asked <= self.unanswered:
            raise Unavailable("ClickHouse does not answer")
        return [(1,)]

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> None:
        self.positions += 1


def batch(store: Any, write: Any) -> MicroBatch:
    return MicroBatch("events", write, store, lambda: NOW, lambda _: NOW, report=lambda _: None)


def test_a_store_that_is_away_is_asked_alone_until_it_answers() -> None:
    store, written = Away(unanswered=10), []

    def write(records: Any, token: BatchToken, planned_at: datetime) -> Done:
        written.append(token.batch_id)
        if len(written) == 1:
            raise Unavailable("ClickHouse does not answer")
        return Done()

    batch(store, write)(RECORDS, 7)

    assert written == [7, 7]
    assert (store.asked, store.positions) == (11, 1)


def test_nothing_is_asked_where_all_goes_well() -> None:
    store = Away(unanswered=1)
    batch(store, lambda *_: Done())(RECORDS, 7)
    assert (store.asked, store.positions) == (0, 1)


def test_a_failure_of_another_kind_is_not_tried_again() -> None:
    def write(*_: Any) -> Done:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        batch(Away(unanswered=0), write)(RECORDS, 7)
