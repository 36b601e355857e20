"""PostgreSQL → Debezium → Kafka → Iceberg: what is written to the shop is what lands."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from concord.chaos.in_flight import kill
from concord.contracts import names
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS, as_change
from concord.gateways.kafka import Kafka, Record
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres, Session
from concord.platform.launchers import connect
from concord.platform.states import engine_states
from concord.settings import Settings
from tests.landed import landed_changes
from tests.waiting import eventually

pytestmark = pytest.mark.integration

CREATED = datetime(2010, 12, 1, 8, 26, 0, 123000, tzinfo=UTC)
TOPICS = [names.cdc_topic(table) for table in TABLES.values()]
LAKE_SECONDS = 180
"""A busy machine's bound; idle, a change takes four to seven seconds."""


@dataclass(frozen=True)
class Shop:
    """One user, product and order of this run, and the position before any of its changes."""

    id: int
    before: Position

    @property
    def moved(self) -> int:
        """The key that the user has in the end."""
        return self.id + 1


@pytest.fixture(scope="module")
def shop(postgres: Postgres, kafka: Kafka) -> Iterator[Shop]:
    run = Shop(id=(1 << 50) + secrets.randbelow(1 << 40) * 2, before=kafka.end_position(TOPICS))
    with postgres.connect() as session:
        _live(session, run)
        yield run


def _live(session: Session, run: Shop) -> None:
    """Everything that can happen to a row, each in a transaction of its own; the order is the last to go."""
    incompressible = secrets.token_hex(6000)
    session.execute("insert into users (id, email, created_at) values (%s, 'ü@example.org', %s)", (run.id, CREATED))
    session.execute(
        "insert into products (id, sku, name, description, price, stock_quantity, category)"
        " values (%s, %s, 'lamp', %s, 12.50, 3, 'light')",
        (run.id, f"test-{run.id}", incompressible),
    )
    session.execute(
        "insert into orders (id, status, total_amount, created_at) values (%s, 'pending', 99999999.99, %s)",
        (run.id, CREATED),
    )
    session.execute("update products set price = 13 where id = %s", (run.id,))
    session.execute("update users set id = %s where id = %s", (run.moved, run.id))
    session.execute("update orders set status = 'processing' where id = %s", (run.id,))
    session.execute("delete from users where id = %s", (run.moved,))
    session.execute("delete from products where id = %s", (run.id,))
    session.execute("delete from orders where id = %s", (run.id,))


def changes(kafka: Kafka, shop: Shop, table: Dataset, count: int) -> list[dict[str, Any]]:
    """The run's change records of one table, once all ``count`` are there."""

    def all_of_them() -> list[dict[str, Any]]:
        found = [json.loads(record.value or b"{}") for record in own_records(kafka, shop, table)]
        return found if len(found) >= count else []

    return eventually(all_of_them)


def own_records(kafka: Kafka, shop: Shop, table: Dataset) -> list[Record]:
    keys = {f'{{"id":{key}}}'.encode() for key in (shop.id, shop.moved)}
    return [record for record in kafka.read(names.cdc_topic(table), after=shop.before) if record.key in keys]


def landed(lake: Lake, shop: Shop, table: Dataset, count: int) -> list[dict[str, Any]]:
    """The run's rows of one change log in the lake, in Kafka's order."""

    def all_of_them() -> list[dict[str, Any]]:
        rows = landed_changes(lake, table, shop.id, shop.moved)
        return rows if len(rows) >= count else []

    return eventually(all_of_them, timeout=LAKE_SECONDS)


def test_a_change_is_a_flat_row_with_its_metadata(kafka: Kafka, shop: Shop) -> None:
    created, updated, _ = changes(kafka, shop, ORDERS, 3)
    assert created | {"updated_at": ""} == {
        "id": shop.id,
        "external_id": None,
        "user_id": None,
        "status": "pending",
        "total_amount": "99999999.99",
        "shipping_address": None,
        "created_at": "2010-12-01T08:26:00.123Z",
        "updated_at": "",
        "__deleted": "false",
        **{key: created[key] for key in ("__op", "__ts_ms", "__source_ts_ms", "__source_lsn")},
    }
    assert (created["__op"], updated["__op"], updated["status"]) == ("c", "u", "processing")
    assert updated["__source_lsn"] > created["__source_lsn"]
    assert updated["__ts_ms"] >= updated["__source_ts_ms"] >= created["__source_ts_ms"]


def test_a_delete_is_a_row_and_no_tombstone_follows(kafka: Kafka, shop: Shop) -> None:
    *_, deleted = changes(kafka, shop, ORDERS, 3)
    assert (deleted["id"], deleted["__op"], deleted["__deleted"]) == (shop.id, "d", "true")
    assert all(record.value is not None for record in own_records(kafka, shop, ORDERS))


def test_a_large_value_that_an_update_left_alone_is_the_placeholder(kafka: Kafka, shop: Shop) -> None:
    created, updated, _ = changes(kafka, shop, PRODUCTS, 3)
    assert len(created["description"]) == 12_000
    assert (updated["description"], updated["price"]) == (TOAST_PLACEHOLDER, "13.00")


def test_a_changed_key_is_a_delete_and_a_create(kafka: Kafka, shop: Shop) -> None:
    found = changes(kafka, shop, USERS, 4)
    by_key = {key: [row["__op"] for row in found if row["id"] == key] for key in (shop.id, shop.moved)}
    assert by_key == {shop.id: ["c", "d"], shop.moved: ["c", "d"]}


def test_a_record_carries_the_time_of_its_arrival(kafka: Kafka, shop: Shop) -> None:
    found = changes(kafka, shop, ORDERS, 3)
    for record, row in zip(own_records(kafka, shop, ORDERS), found, strict=True):
        committed = datetime.fromtimestamp(row["__source_ts_ms"] / 1000, UTC)
        assert timedelta() <= record.timestamp - committed < timedelta(minutes=5)


def test_the_lake_holds_each_change_once_and_at_its_position(kafka: Kafka, lake: Lake, shop: Shop) -> None:
    rows = landed(lake, shop, ORDERS, 3)
    records = own_records(kafka, shop, ORDERS)
    positions = [(row["_topic"], row["_kafka_partition"], row["_offset"], row["_timestamp"]) for row in rows]
    assert positions == [(record.topic, record.partition, record.offset, record.timestamp) for record in records]
    created, updated, deleted = rows
    assert (created["id"], created["total_amount"], created["created_at"]) == (shop.id, Decimal("99999999.99"), CREATED)
    assert [row["__op"] for row in rows] == ["c", "u", "d"]
    assert (updated["status"], deleted["id"]) == ("processing", shop.id)
    assert created["__source_ts_ms"].tzinfo is not None


@pytest.mark.parametrize("table", [USERS, PRODUCTS], ids=lambda table: table.name)
def test_nothing_is_missing_in_the_lake(kafka: Kafka, lake: Lake, shop: Shop, table: Dataset) -> None:
    count = len(changes(kafka, shop, table, 3))
    assert len(landed(lake, shop, table, count)) == count


def test_the_lake_reaches_the_end_of_every_topic(kafka: Kafka, lake: Lake, shop: Shop) -> None:
    end = kafka.end_position(TOPICS)
    assert eventually(reaches(lake, end), timeout=LAKE_SECONDS)


def reaches(lake: Lake, end: Position) -> Callable[[], bool]:
    def all_tables() -> bool:
        held = Position()
        for table in TABLES.values():
            held = held.merge(lake.position(as_change(table).name))
        return held.covers(end)

    return all_tables


def test_whatever_a_producer_sends_lands_as_its_bytes(kafka: Kafka, lake: Lake) -> None:
    mark = secrets.token_hex(8).encode()
    sent = [b'{"event_id":"' + mark, mark + b"\xff\xfe\x00", mark + b"x" * 500_000]
    before = kafka.end_position([names.EVENTS_TOPIC])
    producer = kafka.producer()
    for value in (*sent, b"", None):
        producer.produce(names.EVENTS_TOPIC, value, key=b"\xff", headers=[("\N{SNOWMAN}", b"\xff"), ("none", None)])
    assert producer.flush(30) == 0
    end = kafka.end_position([names.EVENTS_TOPIC])
    eventually(lambda: lake.position(EVENTS_LANDING.name).covers(end), timeout=LAKE_SECONDS)
    (partition,) = {record.partition for record in kafka.read(names.EVENTS_TOPIC, before, end) if record.key == b"\xff"}
    above = max((offset for _, part, offset in before if part == partition), default=-1)
    rows = lake.scan(EVENTS_LANDING.name, row_filter=f"_kafka_partition = {partition} and _offset > {above}")
    values = rows.column("value").to_pylist()
    assert [values.count(value) for value in sent] == [1, 1, 1]
    assert b"" in values
    assert None in values


ROWS_OF_ONE_COPY = 60_000
"""More than Debezium hands over at once."""


def test_a_copy_that_connect_is_killed_in_is_captured_to_its_last_row(
    settings: Settings, postgres: Postgres, kafka: Kafka
) -> None:
    """Trap K1: rows of one COPY share log positions, and a restart in their middle has lost some before.

    The row that Debezium goes on from may come a second time: its position does not tell it from its neighbours.
    """
    label, before = f"copy-{secrets.token_hex(8)}", kafka.end_position([names.FENCE_TOPIC])
    pid = pid_of_connect(settings)
    with postgres.connect() as session:
        rows = ((label, CREATED + timedelta(seconds=number)) for number in range(ROWS_OF_ONE_COPY))
        assert session.copy_rows("fence", ("label", "created_at"), rows) == ROWS_OF_ONE_COPY
    eventually(lambda: records_since(kafka, before), every=0.01)
    kill(pid)
    assert 0 < records_since(kafka, before) < ROWS_OF_ONE_COPY, "killed with a part of it captured"
    [(first, last)] = postgres.query("select min(id), max(id) from fence where label = %s", (label,))

    eventually(lambda: pid_of_connect(settings) != pid, timeout=120)
    eventually(lambda: ids_captured(kafka, before, label)[-1:] == [last], timeout=LAKE_SECONDS, every=2)
    captured = ids_captured(kafka, before, label)
    assert list(dict.fromkeys(captured)) == [*range(first, last + 1)]
    assert len(captured) <= ROWS_OF_ONE_COPY + 1


def pid_of_connect(settings: Settings) -> int:
    return eventually(lambda: next(state.pid for state in engine_states(settings) if state.name == connect.NAME))


def records_since(kafka: Kafka, before: Position) -> int:
    [(_, _, last)] = kafka.end_position([names.FENCE_TOPIC])
    return last - max((offset for _, _, offset in before), default=-1)


def ids_captured(kafka: Kafka, before: Position, label: str) -> list[int]:
    """Of the rows of one COPY, in Kafka's order."""
    found = (json.loads(record.value or b"{}") for record in kafka.read(names.FENCE_TOPIC, after=before))
    return [row["id"] for row in found if row.get("label") == label]
