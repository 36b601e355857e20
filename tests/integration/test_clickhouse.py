"""The ClickHouse gateway against the real server."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from concord import bootstrap
from concord.contracts.derived import SPEED_POSITION
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS, TOAST_PLACEHOLDER, as_change
from concord.dialects.arrow import arrow_schema
from concord.errors import Misconfigured, Unavailable
from concord.gateways.clickhouse import ClickHouse
from concord.settings import PROJECT, Settings
from tests.factories import change_row, row
from tests.speed_database import speed_database

pytestmark = pytest.mark.integration

USERS = ("admin", "writer", "reader")
NOW = datetime.now(UTC).replace(microsecond=123000)
"""Rows of events expire by arrival, so a test's rows must have arrived just now."""


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[ClickHouse]:
    with speed_database(settings) as own:
        yield own


def table(dataset: Dataset, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(dataset))


def event_row(**named: Any) -> dict[str, Any]:
    return row(EVENTS, **{"event_id": str(uuid.uuid4()), "_timestamp": NOW, **named})


def test_typed_values_come_back_as_they_went_in(store: ClickHouse) -> None:
    sent = event_row(price=Decimal("99999999.99"), occurred_at=NOW, search_query="Ω 🎁 'quoted'", user_id=None)

    store.insert_arrow(EVENTS.name, table(EVENTS, sent), uuid.uuid4().hex)

    select = "select price, occurred_at, search_query, user_id, event_id from events where event_id = {id:UUID}"
    assert store.query(select, {"id": sent["event_id"]}) == [
        (Decimal("99999999.99"), NOW, "Ω 🎁 'quoted'", None, uuid.UUID(sent["event_id"]))
    ]
    assert store.query_dicts(select, {"id": sent["event_id"]})[0]["occurred_at"].tzinfo is not None


def test_properties_can_be_asked_for_by_path_also_where_some_are_no_document(store: ClickHouse) -> None:
    documents = ('{"cart": {"items": 3}}', '{"cart": {"items": "many"}}', '{"lone": "\\ud800"}', None)
    rows = [event_row(_topic="paths", _offset=offset, properties=text) for offset, text in enumerate(documents)]
    store.insert_arrow(EVENTS.name, table(EVENTS, *rows), uuid.uuid4().hex)

    by_path = "select properties_json.cart.items::Nullable(String) from events where _topic = 'paths' order by _offset"
    assert [value for (value,) in store.query(by_path)] == ["3", "many", None, None]


def test_of_two_equal_paths_the_first_counts_and_the_text_has_both(store: ClickHouse) -> None:
    documents = {
        '{"a": 1, "a": 2, "b": 3}': ("1", None, "3"),
        '{"a": {"c": 1}, "a": {"c": 2}, "b": 3}': (None, "1", "3"),
        '{"a": 1, "a": {"c": 2}}': ("1", "2", None),  # a value and an object: two paths
        '{"a": {"c": 2}, "a": 1}': ("1", "2", None),
    }
    rows = [event_row(_topic="twice", _offset=offset, properties=text) for offset, text in enumerate(documents)]
    store.insert_arrow(EVENTS.name, table(EVENTS, *rows), uuid.uuid4().hex)

    paths = ", ".join(f"properties_json.{path}::Nullable(String)" for path in ("a", "a.c", "b"))
    found = store.query(f"select properties, {paths} from events where _topic = 'twice'")
    assert {text: tuple(values) for text, *values in found} == documents


@pytest.mark.parametrize("user", ["reader", "writer"])
def test_everybody_reads_a_document_with_two_equal_paths(settings: Settings, store: ClickHouse, user: str) -> None:
    [(expression,)] = store.query(
        "select default_expression from system.columns "
        "where database = currentDatabase() and table = 'events' and name = 'properties_json'"
    )
    twice = {"document": '{"a": 1, "a": 2}'}

    read = f"select ({expression})::Nullable(String) from (select {{document:Nullable(String)}} as properties)"
    assert bootstrap.clickhouse(settings, user).query(read, twice) == [('{"a":1}',)]


def test_an_insert_repeated_with_its_token_changes_nothing(store: ClickHouse) -> None:
    rows, token = table(EVENTS, event_row(_topic="repeat"), event_row(_topic="repeat")), uuid.uuid4().hex

    for _ in range(3):
        store.insert_arrow(EVENTS.name, rows, token)

    assert store.query("select count() from events where _topic = 'repeat'") == [(2,)]


def test_an_insert_over_two_months_is_repeated_without_effect_too(store: ClickHouse) -> None:
    earlier = NOW.replace(day=1, month=NOW.month - 1) if NOW.month > 1 else NOW.replace(year=NOW.year - 1, month=12)
    rows = table(
        as_change(ORDERS),
        change_row(ORDERS, seed=71, _topic="months", _timestamp=earlier),
        change_row(ORDERS, seed=72, _topic="months", _timestamp=NOW),
    )

    for _ in range(2):
        store.insert_arrow("orders_changes", rows, "over two months")

    assert store.query("select count() from orders_changes where _topic = 'months'") == [(2,)]


def test_the_same_rows_under_another_token_are_stored_again(store: ClickHouse) -> None:
    rows = table(EVENTS, event_row(_topic="again"))

    store.insert_arrow(EVENTS.name, rows, "first token")
    store.insert_arrow(EVENTS.name, rows, "second token")

    assert store.query("select count() from events where _topic = 'again'") == [(2,)]


def test_current_state_is_the_last_change_without_the_deleted(store: ClickHouse) -> None:
    changes = table(
        as_change(ORDERS),
        change_row(ORDERS, "c", seed=1, offset=1, status="pending", shipping_address="Main Street 1"),
        change_row(ORDERS, "u", seed=1, offset=5, status="shipped", shipping_address=TOAST_PLACEHOLDER),
        change_row(ORDERS, "u", seed=1, offset=3, status="processing", shipping_address="Main Street 2"),
        change_row(ORDERS, "c", seed=2, offset=2),
        change_row(ORDERS, "d", seed=2, offset=4),
    )

    store.insert_arrow("orders_changes", changes, uuid.uuid4().hex)

    select = "select id, status, shipping_address, _offset from orders_realtime where id in (1, 2)"
    assert store.query(select) == [(1, "shipped", "Main Street 2", 5)]


def test_revenue_is_of_orders_as_they_are_now_and_counts_a_repeated_insert_once(store: ClickHouse) -> None:
    at = datetime(2025, 3, 1, 12, 30, 5, tzinfo=UTC)
    sold = {"created_at": at, "_topic": "revenue", "total_amount": Decimal("10.00"), "status": "pending"}
    changes = table(
        as_change(ORDERS),
        change_row(ORDERS, "c", seed=81, offset=1, **sold),
        change_row(ORDERS, "u", seed=81, offset=2, **{**sold, "total_amount": Decimal("12.50")}),
        change_row(ORDERS, "c", seed=82, offset=3, **sold),
        change_row(ORDERS, "u", seed=83, offset=4, **{**sold, "status": "cancelled"}),
        change_row(ORDERS, "c", seed=84, offset=5, **sold),
        change_row(ORDERS, "d", seed=84, offset=6, _topic="revenue"),
    )

    for _ in range(2):
        store.insert_arrow("orders_changes", changes, "revenue")

    select = "select orders, revenue from revenue_by_minute where minute = {minute:DateTime}"
    assert store.query(select, {"minute": at.replace(second=0)}) == [(2, Decimal("22.50"))]


def test_the_position_is_the_highest_offset_per_partition(store: ClickHouse) -> None:
    rows = [
        row(SPEED_POSITION, _topic="t", _partition=partition, _offset=offset, batch_id=batch, written_at=NOW)
        for partition, offset, batch in [(0, 5, 1), (0, 9, 2), (1, 3, 1)]
    ]

    store.insert_arrow(SPEED_POSITION.name, table(SPEED_POSITION, *rows), uuid.uuid4().hex)

    assert store.position().of_topic("t") == Position.of([("t", 0, 9), ("t", 1, 3)])


def test_a_statement_may_read_a_table_that_is_sent_along(store: ClickHouse) -> None:
    given = pa.table({"word": ["b", "a"]})

    assert store.query_arrow("select word from words order by word", given={"words": given}).to_pydict() == {
        "word": ["a", "b"]
    }


def test_every_statement_of_a_file_runs_in_order(store: ClickHouse, tmp_path: Path) -> None:
    script = tmp_path / "two.sql"
    script.write_text("-- first\ncreate table t (n Int8) engine = Memory;\ninsert into t values (1);\n")

    store.run_file(script)

    assert store.query("select n from t") == [(1,)]


def test_the_reader_may_not_write(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="refuses user reader"):
        bootstrap.clickhouse(settings, user="reader").command("insert into speed_position (query) values ('x')")


LIFTED = ("readonly = 0", "max_execution_time = 601", "max_memory_usage = 1099511627776")
UNLIMITED = ("max_execution_time = 0", "max_memory_usage = 0", "log_queries = 0")


@pytest.mark.parametrize("raised", [*LIFTED, *UNLIMITED])
def test_the_reader_may_not_lift_its_limits(settings: Settings, raised: str) -> None:
    with pytest.raises(Misconfigured, match=raised.split()[0]):
        bootstrap.clickhouse(settings, user="reader").query(f"select 1 settings {raised}")


def test_the_readers_limits_end_a_query(settings: Settings) -> None:
    reader = bootstrap.clickhouse(settings, user="reader")

    with pytest.raises(Unavailable, match="Timeout exceeded"):
        reader.query("select sleepEachRow(1) from numbers(60) settings max_execution_time = 1, max_block_size = 1")
    with pytest.raises(Unavailable, match="Query memory limit exceeded"):
        reader.query("select length(groupArray(number)) from numbers(1000000000)")


def test_the_last_row_of_more_keys_than_the_readers_memory_holds_is_found(settings: Settings) -> None:
    """As the views of current state do: about 700 bytes a key, 1.4 GB in all."""
    row = "'u', " + ", ".join(f"number + {n}" for n in range(9))
    states = f"select number as id, argMax(tuple({row}), number) as latest from numbers(2000000) group by id"
    answer = bootstrap.clickhouse(settings, user="reader").query(f"select count(), sum(latest.3 - id) from ({states})")
    assert answer == [(2_000_000, 2_000_000)]


def test_the_readers_limits_hold_unasked(settings: Settings) -> None:
    reader = bootstrap.clickhouse(settings, user="reader")
    [*names, memory] = ["max_execution_time", "readonly", "max_memory_usage"]

    limits = dict(reader.query("select name, value from system.settings where changed"))
    assert [limits[name] for name in names] == ["120", "2"]
    assert int(limits[memory]) == settings.clickhouse.max_memory_bytes // 4


def test_the_readers_questions_count_against_a_quota(settings: Settings) -> None:
    [(quota, asked, queries, seconds)] = bootstrap.clickhouse(settings, user="reader").query(
        "select quota_name, queries, max_queries, max_execution_time from system.quota_usage"
    )
    assert (quota, queries, seconds) == ("reader", 6000, 600)
    assert asked > 0


def test_passwords_are_stored_as_hashes_alone(settings: Settings) -> None:
    kinds = dict(bootstrap.clickhouse(settings, user="admin").query("select name, auth_type from system.users"))
    stored = (settings.home / "clickhouse" / "users.xml").read_text()

    for name in USERS:
        assert kinds[name] == ["sha256_password"]
        password = settings.secret(f"clickhouse_{name}").get_secret_value()
        assert password not in stored
        assert hashlib.sha256(password.encode()).hexdigest() in stored


def test_questions_in_documents_can_be_asked(store: ClickHouse) -> None:
    documents = [*PROJECT.glob("docs/**/*.md"), *PROJECT.glob("monitoring/runbooks/*.md")]
    told = {question for path in documents for question in IN_DOCUMENTS.findall(path.read_text())}

    assert any("funnel_rates" in question for question in told)
    for question in told:
        store.query(question)


IN_DOCUMENTS = re.compile(r'concord sql speed "([^"…]+)"')


def test_an_unknown_table_is_named(store: ClickHouse) -> None:
    with pytest.raises(Misconfigured, match="nothing_here"):
        store.query("select * from nothing_here")


def test_nobody_at_the_address_is_unavailable(store: ClickHouse) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        replace(store, host="127.0.0.1", port=9).query("select 1")
