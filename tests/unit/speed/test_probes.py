"""Measurements beside the stream: one that fails is counted and keeps no other from being made."""

from datetime import UTC, datetime
from typing import Any

from concord.contracts.position import Position
from concord.errors import Unavailable
from concord.speed.probes import BoundProbe, LagProbe, Probes, QueryLogProbe
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics

TWO = {"speed.events": ["events"], "speed.changes": ["users", "orders"]}


class Store:
    """Answers what it was given."""

    def __init__(self, rows: Any = (), position: Position | None = None):
        self.rows, self.held = rows, position or Position()
        self.asked: list[Any] = []

    def query(self, sql: str) -> Any:
        return self.rows

    def query_dicts(self, sql: str, params: Any) -> Any:
        self.asked.append(params)
        return self.rows

    def position(self) -> Position:
        return self.held


class Broker:
    def __init__(self, end: Position):
        self.end = end

    def end_position(self, topics: list[str]) -> Position:
        assert sorted(topics) == ["events", "orders", "users"]
        return self.end


def away() -> None:
    raise Unavailable("nobody is there")


def test_a_probe_that_fails_is_counted_and_the_next_one_runs() -> None:
    metrics, ran = Metrics(), []
    Probes(metrics, {"lag": away, "bound": lambda: ran.append(1)})()
    assert ran == [1]
    assert metrics.value(catalogue.PROBE_FAILURES, "lag") == 1
    assert metrics.value(catalogue.PROBE_FAILURES, "bound") == 0


def test_lag_is_told_by_query_and_topic() -> None:
    metrics = Metrics()
    end = Position.of([("events", 0, 99), ("events", 1, 49), ("users", 0, 9), ("orders", 0, -1)])
    held = Position.of([("events", 0, 89), ("events", 1, 49)])
    LagProbe(metrics, Store(position=held), Broker(end), TWO)()  # type: ignore[arg-type]
    assert metrics.value(catalogue.LAG_RECORDS, "speed.events", "events") == 10
    assert metrics.value(catalogue.LAG_RECORDS, "speed.changes", "users") == 10
    assert metrics.value(catalogue.LAG_RECORDS, "speed.changes", "orders") == 0
    assert metrics.value(catalogue.END_OFFSETS, "events") == 150


def test_before_the_first_batch_there_is_no_bound() -> None:
    metrics = Metrics()
    BoundProbe(metrics, Store([(None,)]))()  # type: ignore[arg-type]
    assert metrics.value(catalogue.LATENESS_BOUND) == 0
    BoundProbe(metrics, Store([(datetime(1970, 1, 2, tzinfo=UTC),)]))()  # type: ignore[arg-type]
    assert metrics.value(catalogue.LATENESS_BOUND) == 86_400


def test_slow_queries_are_the_readers_alone() -> None:
    metrics = Metrics()
    reader = {"user": "reader", "finished": 90, "failed": 2, "slow": 3, "seconds": 9.0, "median": 0.1, "p95": 1.2}
    writer = {"user": "writer", "finished": 300, "failed": 0, "slow": 50, "seconds": 20.0, "median": 0.1, "p95": 2.0}
    store = Store([reader, writer])
    QueryLogProbe(metrics, store, slow_seconds=0.75)()  # type: ignore[arg-type]
    assert store.asked == [{"slow_ms": 750}]
    assert metrics.value(catalogue.SLOW_QUERIES) == 3
    assert metrics.value(catalogue.READER_QUERIES, "failed") == 2
    assert metrics.value(catalogue.READER_SECONDS, "0.95") == 1.2
    assert metrics.value(catalogue.WRITER_SECONDS) == 20.0


def test_where_nobody_asks_nothing_is_slow() -> None:
    metrics = Metrics()
    QueryLogProbe(metrics, Store(), slow_seconds=1)()  # type: ignore[arg-type]
    assert (metrics.value(catalogue.SLOW_QUERIES), metrics.value(catalogue.READER_SECONDS, "0.95")) == (0, 0)
