from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from concord.batch.feeds import CHANGE_FEEDS
from concord.batch.load_raw import Loaded, SetAside, Staged, merge
from concord.batch.range import between
from concord.contracts.derived import MODEL_BUILDS
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS
from concord.errors import Disagreement

(FEED,) = (feed for feed in CHANGE_FEEDS if feed.topic == cdc_topic(ORDERS))
RANGE = between(cdc_topic(ORDERS), Position(), Position.of([(cdc_topic(ORDERS), 0, 9)]))


class Warehouse:
    """Answers counts in the order they are asked for: load table, RAW before and after, dead letters before and after.

    ``aside`` are the load table's records that are no rows, by reason. Without a count it says what partitions hold.
    """

    def __init__(self, *counts: int, aside: Sequence[tuple[str, str, int]] = ()) -> None:
        self.counts = list(counts)
        self.aside = aside
        self.statements: list[str] = []

    def query(self, statement: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        if "fault_pointer, fault_detail, count(*)" in statement:
            return list(self.aside)
        if MODEL_BUILDS.name in statement:
            return [(7, "published", "{}", datetime(2026, 1, 1, tzinfo=UTC), "p", False)]
        return [(self.counts.pop(0),)] if self.counts else [(0, 7, 0, 6)]

    def execute(self, statement: str, parameters: Sequence[Any] | None = None) -> int:
        self.statements.append(statement)
        return 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.statements.append("begin")
        try:
            yield
        except Disagreement:
            self.statements.append("rollback")
            raise
        self.statements.append("commit")


def load(warehouse: Warehouse, rows_read: int = 10) -> tuple[Loaded, ...]:
    return merge(warehouse, [Staged(FEED, RANGE, rows_read, 42)], "b1")  # type: ignore[arg-type]


def words(warehouse: Warehouse) -> list[str]:
    return [statement.split()[0] for statement in warehouse.statements]


def test_rows_and_audit_are_one_transaction() -> None:
    warehouse = Warehouse(10, 0, 10, 0, 0)
    assert load(warehouse) == (Loaded("orders", 10, 10),)
    assert words(warehouse) == ["begin", "merge", "delete", "insert", "commit", "drop"]


def test_what_is_no_row_is_a_dead_letter_and_every_record_is_one_or_the_other() -> None:
    warehouse = Warehouse(10, 0, 7, 0, 3, aside=[("/channel", "is missing", 2), ("/id", "is null", 1)])
    aside = (SetAside("orders", "/channel", "is missing", 2), SetAside("orders", "/id", "is null", 1))
    assert load(warehouse) == (Loaded("orders", 7, 7, aside),)
    assert words(warehouse) == ["begin", "merge", "delete", "merge", "insert", "commit", "drop"]
    assert "'bad_change_record', arrived.fault_pointer, arrived.fault_detail" in warehouse.statements[3]


@pytest.mark.parametrize("dead", [2, 4])
def test_dead_letters_that_do_not_add_up_stop_the_load(dead: int) -> None:
    warehouse = Warehouse(10, 0, 7, 0, dead, aside=[("/id", "is null", 3)])
    with pytest.raises(Disagreement, match=rf"RAW\.dead_letters against the lake: {dead} rows where 3 were read"):
        load(warehouse)
    assert words(warehouse)[-1] == "rollback"


def test_where_nothing_is_a_row_nothing_is_merged_into_the_table() -> None:
    warehouse = Warehouse(3, 0, 0, 0, 3, aside=[("", "is no JSON", 3)])
    assert load(warehouse, rows_read=3)[0].rows_read == 0
    assert words(warehouse) == ["begin", "delete", "merge", "insert", "commit", "drop"]


def test_rows_that_were_there_already_are_not_counted_as_inserted() -> None:
    assert load(Warehouse(10, 4, 10, 0, 0)) == (Loaded("orders", 10, 6),)


@pytest.mark.parametrize(("there_before", "is_owed"), [(4, True), (10, False)])
def test_rows_that_raw_lacked_of_a_published_batch_come_with_a_full_build_owed(
    there_before: int, is_owed: bool
) -> None:
    warehouse = Warehouse(10, there_before, 10, 0, 0)
    merge(warehouse, [Staged(FEED, RANGE, 10, 42)], "b1", is_published=True)  # type: ignore[arg-type]
    owed = ["insert into RAW.model_builds"] if is_owed else []
    commit = words(warehouse).index("commit")
    assert [one[:28] for one in warehouse.statements[commit - len(owed) : commit]] == owed
    assert len(warehouse.statements) == 6 + len(owed)


def test_rows_lost_on_the_way_to_the_load_table_stop_the_load() -> None:
    warehouse = Warehouse(9)
    with pytest.raises(Disagreement, match="9 rows where 10 were read"):
        load(warehouse)
    assert words(warehouse) == ["begin", "rollback"]


def test_row_that_raw_has_and_the_lake_has_not_stops_the_load() -> None:
    warehouse = Warehouse(10, 1, 11)
    with pytest.raises(Disagreement, match=r"RAW\.orders against the lake: 11 rows where 10.*RAW\.orders holds .*0, 7"):
        load(warehouse)
    assert words(warehouse)[-1] == "rollback"


def test_merge_inserts_by_position_and_updates_nothing() -> None:
    warehouse = Warehouse(10, 0, 10, 0, 0)
    load(warehouse)
    statement = warehouse.statements[1]
    assert "held._topic = arrived._topic and held._partition = arrived._partition" in statement
    assert "when matched" not in statement
