"""A table that is altered while its changes flow, and a contract that changes over tables with rows in them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from concord.contracts.model import Column, Dataset
from concord.contracts.names import SPEED_DATABASE, cdc_topic
from concord.contracts.tables import PRODUCTS, as_landed
from concord.contracts.types import BIGINT, INTEGER, TEXT
from concord.contracts.types import Decimal as Exact
from concord.dialects import clickhouse as clickhouse_dialect
from concord.dialects import snowflake as snowflake_dialect
from concord.dialects.arrow import arrow_schema
from concord.errors import Misconfigured
from concord.evolution.migrate import migrate_clickhouse, migrate_lake, migrate_snowflake
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka, Record
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres, Session
from concord.gateways.snowflake import Snowflake
from concord.landed.rows import change_rows
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.settings import PROJECT, Settings, child_environment
from tests.speed_database import speed_database
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

LAKE_SECONDS = 180
COLOUR = Column("colour", TEXT, nullable=True, may_be_absent=True)
RESTORED = (
    "alter table products drop column if exists colour",
    "alter table products alter column stock_quantity type integer",
)


@contextmanager
def altered(postgres: Postgres) -> Iterator[Session]:
    """A session that may alter ``products``; afterwards the table is as it was, for the other tests."""
    with postgres.connect() as session:
        try:
            yield session
        finally:
            for statement in RESTORED:
                session.execute(statement)


def product(session: Session) -> int:
    insert = "insert into products (sku, name, price, stock_quantity, category) values (%s, 'lamp', 5, 3, 'light')"
    return int(session.query(f"{insert} returning id", (f"test-{uuid4().hex}",))[0][0])


def update(session: Session, key: int, what: str) -> None:
    session.execute(f"update products set {what}, updated_at = now() where id = %s", (key,))


STEPS = (
    ("alter table products add column colour text", "colour = 'red'"),
    ("alter table products alter column stock_quantity type bigint", "stock_quantity = 4"),
    ("", "stock_quantity = 3000000000"),
    ("", "stock_quantity = 5"),
    ("alter table products rename column description to about", "about = 'lost and found'"),
    ("alter table products rename column about to description", "stock_quantity = 6"),
    ("alter table products drop column colour", "stock_quantity = 7"),
)
"""A column comes, one is widened, one is renamed for a while, and the new one goes; what the product is changed to."""


def live(session: Session, kafka: Kafka, key: int) -> None:
    """Each step once the one before is in Kafka: Debezium reads a change by the table as it is when it comes to it."""
    for number, (alter, change) in enumerate(STEPS, start=2):
        if alter:
            session.execute(alter)
        update(session, key, change)
        eventually(lambda count=number: len(sent(kafka, key)) == count)


def sent(kafka: Kafka, key: int) -> list[Record]:
    """The product's records, the first of them when it came."""
    return [each for each in kafka.read(cdc_topic(PRODUCTS)) if each.key and json.loads(each.key)["id"] == key]


def landed(lake: Lake, key: int) -> list[dict[str, Any]]:
    """The product's records in Kafka's order."""
    rows = lake.scan(as_landed(PRODUCTS).name).to_pylist()
    own = [{**row, "record": json.loads(row["value"])} for row in rows]
    return sorted((row for row in own if row["record"]["id"] == key), key=lambda row: row["_offset"])


def batch() -> Any:
    command = [sys.executable, "-m", "concord", "batch", "run", "--json"]
    done = subprocess.run(command, cwd=PROJECT, env=child_environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_a_table_is_altered_while_it_flows_and_every_record_is_a_row_or_a_dead_letter(
    postgres: Postgres, kafka: Kafka, lake: Lake, snowflake: Snowflake
) -> None:
    with altered(postgres) as session:
        first = product(session)
        eventually(lambda: sent(kafka, first), LAKE_SECONDS)  # a new stack begins with a snapshot
        key = product(session)
        live(session, kafka, key)
    eventually(lambda: len(landed(lake, key)) == len(STEPS) + 1, LAKE_SECONDS, every=1)
    records = landed(lake, key)
    outcome = batch()

    offsets = [record["_offset"] for record in records]
    rows = snowflake.query("select _offset, stock_quantity from RAW.products where id = %s order by 1", (key,))
    assert rows == list(zip([*offsets[:3], offsets[4], *offsets[6:]], (3, 3, 4, 5, 6, 7), strict=True))
    letters = snowflake.query(
        "select _offset, reason, pointer, detail from RAW.dead_letters where _topic = %s and _partition = %s "
        "and _offset between %s and %s order by 1",
        (cdc_topic(PRODUCTS), records[0]["_kafka_partition"], offsets[0], offsets[-1]),
    )
    assert letters == [
        (offsets[3], BAD_CHANGE_RECORD, "/stock_quantity", "is not an integer of 32 bits"),
        (offsets[5], BAD_CHANGE_RECORD, "/description", "is missing"),
    ]
    assert {(one["table"], one["pointer"]) for one in outcome["set_aside"]} >= {
        ("products", "/stock_quantity"),
        ("products", "/description"),
    }
    assert lake.scan("products", ("stock_quantity",), f"id = {key}").to_pylist() == [{"stock_quantity": 7}]
    assert snowflake.query("select stock_quantity from STAGING.products_enhanced where id = %s", (key,)) == [(7,)]

    declared = PRODUCTS.extended(PRODUCTS.name, COLOUR)
    history = change_rows(declared, lake.scan(as_landed(PRODUCTS).name)).to_pylist()
    colours = {row["_offset"]: row["colour"] for row in history if row["id"] == key}
    assert [colours[offset] for offset in sorted(colours)] == [None, "red", "red", "red", "red", None]


OWN = (Column("id", BIGINT), Column("amount", Exact(10, 2)), Column("pieces", INTEGER))
WIDER = (
    Column("id", BIGINT),
    Column("amount", Exact(12, 2)),
    Column("note", TEXT, nullable=True),
    Column("pieces", BIGINT, nullable=True),
)
ROW = {"id": 1, "amount": Decimal("99999999.99"), "pieces": 7}


@pytest.fixture
def name() -> str:
    return f"test_{uuid4().hex[:12]}"


def table(name: str, columns: tuple[Column, ...]) -> Dataset:
    return Dataset(name, columns, key=("id",))


def test_the_lake_takes_in_a_wider_contract_without_touching_a_file(lake: Lake, name: str) -> None:
    own, wider = table(name, OWN), table(name, WIDER)
    lake.create_table(own)
    try:
        lake._table(name).append(pa.Table.from_pylist([ROW], schema=lake._table(name).schema().as_arrow()))
        before = lake.current_snapshot(name)
        assert [str(step) for step in migrate_lake(lake, wider)] == [
            "amount from decimal(10, 2) to decimal(12, 2)",
            "note added as string",
            "pieces from int to long",
        ]
        lake.create_table(wider)
        assert lake.scan(name).to_pylist() == [ROW | {"note": None}]
        assert (lake.current_snapshot(name), migrate_lake(lake, wider)) == (before, [])
        with pytest.raises(Misconfigured, match=f"lake table {name}: column note was string, is absent"):
            migrate_lake(lake, own)
    finally:
        lake.drop_table(name)


def test_the_warehouse_takes_in_a_wider_contract(snowflake: Snowflake, name: str) -> None:
    own, wider = table(name, OWN), table(name, WIDER)
    snowflake.execute(snowflake_dialect.create_table(own))
    try:
        snowflake.execute(f"insert into RAW.{name} values (1, 99999999.99, 7)")
        assert [step.column.name for step in migrate_snowflake(snowflake, "RAW", wider)] == ["amount", "note", "pieces"]
        assert snowflake.records(f"select id, amount, pieces, note from RAW.{name}") == [ROW | {"note": None}]
        snowflake.execute(f"insert into RAW.{name} (id, amount) values (2, 9999999999.99)")
        assert migrate_snowflake(snowflake, "RAW", wider) == []
    finally:
        snowflake.execute(f"drop table RAW.{name}")


def test_the_speed_layers_tables_take_in_a_wider_contract(settings: Settings, name: str) -> None:
    own, wider = table(name, OWN), table(name, WIDER)
    with speed_database(settings) as store:
        create(store, own)
        store.insert_arrow(name, pa.Table.from_pylist([ROW], schema=arrow_schema(own)), "token")
        assert [step.column.name for step in migrate_clickhouse(store, wider)] == ["amount", "note", "pieces"]
        assert store.query(f"select id, amount, note, pieces from {name}") == [(1, ROW["amount"], None, 7)]
        assert migrate_clickhouse(store, wider) == []


def create(store: ClickHouse, dataset: Dataset) -> None:
    store.command(clickhouse_dialect.create_table(dataset).replace(f"{SPEED_DATABASE}.", f"{store.database}."))
