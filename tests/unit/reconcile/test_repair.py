"""What a gap in change capture has left behind: found by key, sent by way of the log."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDERS, USERS
from concord.errors import Unavailable
from concord.gateways.kafka import NewRecord
from concord.reconcile.compare import Comparison, compare
from concord.reconcile.repair import Gap, Repair, Repaired, gaps
from concord.reconcile.run import RAW, SOURCE, SPEED
from concord.rules.changes import change_reader

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def against(right: str, source: dict[int, str], layer: dict[int, str], dataset: str = "orders") -> Comparison:
    def rows(values: dict[int, str]) -> pl.DataFrame:
        return pl.DataFrame(list(values.items()), schema={"id": pl.Int64(), "status": pl.String()}, orient="row")

    return compare(dataset, ("id",), (SOURCE, rows(source)), (right, rows(layer)))


def test_gone_is_what_only_a_layer_has_and_stale_what_one_lacks_or_has_otherwise() -> None:
    source = {1: "paid", 2: "paid", 3: "paid"}
    found = [
        against(SPEED, source, {1: "paid", 2: "new", 3: "paid", 9: "paid"}),
        against(RAW, source, {1: "paid", 2: "paid", 8: "paid"}),
        against(SPEED, {}, {}, "users"),
    ]
    assert gaps(found) == [Gap(ORDERS, (8, 9), (2, 3))]


def test_layers_that_differ_from_each_other_alone_are_no_gap_of_capture() -> None:
    between = compare("orders", ("id",), (SPEED, pl.DataFrame({"id": [1]})), (RAW, pl.DataFrame({"id": [2]})))
    assert gaps([between]) == []


class Source:
    """PostgreSQL with these keys; ``done`` is what it was told."""

    def __init__(self, *keys: int) -> None:
        self.keys, self.done = keys, list[str]()

    @contextmanager
    def connect(self) -> Iterator["Source"]:
        yield self

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        self.done.append(f"lock {table}")
        yield
        self.done.append("unlock")

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[int]]:
        return [(77,)] if "wal" in statement else [(key,) for key in parameters[0] if key in self.keys]

    def execute(self, statement: str, parameters: Sequence[Any]) -> int:
        self.done.append(statement.split(" where")[0])
        return len(parameters[0])


class Topic:
    """Kafka, and how the source stood when it was sent to."""

    def __init__(self, source: Source) -> None:
        self.sent, self._source = list[NewRecord](), source

    def sender(self, identity: str) -> "Topic":
        return self

    def open(self) -> None:
        pass

    def send(self, records: Sequence[NewRecord]) -> None:
        assert self._source.done[-1] != "unlock", "nobody may write meanwhile"
        self.sent += records


class Log:
    """A layer's change log: partition by key."""

    def __init__(self, partitions: dict[int, int]) -> None:
        self.partitions = partitions

    def query(self, statement: str) -> list[tuple[int, int]]:
        return list(self.partitions.items())


def repair(source: Source, topic: Topic, speed: dict[int, int], raw: dict[int, int]) -> Repair:
    return Repair(source, topic, Log(speed), Log(raw))  # type: ignore[arg-type]


def test_a_delete_lies_where_the_key_lies_and_is_one_to_every_reader() -> None:
    source = Source(2)
    topic = Topic(source)
    done = repair(source, topic, {9: 3}, {8: 1}).run(Gap(ORDERS, (8, 9), (2,)), NOW)
    assert done == Repaired("orders", deletes_written=2, rows_touched=1)
    assert [(each.topic, each.key, each.partition) for each in topic.sent] == [
        (cdc_topic(ORDERS), '{"id":8}', 1),
        (cdc_topic(ORDERS), '{"id":9}', 3),
    ]
    row = change_reader(ORDERS)(topic.sent[0].value or b"")
    assert (row["id"], row["__op"], row["__source_lsn"], row["__ts_ms"]) == (8, "d", 77, NOW)
    assert json.loads(topic.sent[0].value or b"")["__deleted"] == "true"
    assert source.done == ["lock orders", "update orders set external_id = external_id", "unlock"]


def test_a_row_that_has_come_back_is_not_deleted() -> None:
    source = Source(8)
    topic = Topic(source)
    assert repair(source, topic, {8: 0}, {}).run(Gap(USERS, (8,), ()), NOW) == Repaired("users", 0, 0)
    assert topic.sent == []


def test_a_key_of_which_no_log_knows_is_not_sent_anywhere() -> None:
    source = Source()
    topic = Topic(source)
    with pytest.raises(Unavailable, match="users 8"):
        repair(source, topic, {}, {}).run(Gap(USERS, (8,), ()), NOW)
    assert topic.sent == []
