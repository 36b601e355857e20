"""A contract that changes over tables with rows in them."""

from decimal import Decimal
from uuid import uuid4

import pyarrow as pa
import pytest

from concord.contracts.model import Column, Dataset
from concord.contracts.names import SPEED_DATABASE
from concord.contracts.types import BIGINT, INTEGER, TEXT
from concord.contracts.types import Decimal as Exact
from concord.dialects import clickhouse as clickhouse_dialect
from concord.dialects import snowflake as snowflake_dialect
from concord.dialects.arrow import arrow_schema
from concord.errors import Misconfigured
from concord.evolution.migrate import migrate_clickhouse, migrate_lake, migrate_snowflake
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake
from concord.settings import Settings
from tests.speed_database import speed_database

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

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
        assert [each.step.column.name for each in migrate_snowflake(snowflake, {"RAW": [wider]})] == [
            "amount",
            "note",
            "pieces",
        ]
        assert snowflake.records(f"select id, amount, pieces, note from RAW.{name}") == [ROW | {"note": None}]
        snowflake.execute(f"insert into RAW.{name} (id, amount) values (2, 9999999999.99)")
        assert migrate_snowflake(snowflake, {"RAW": [wider]}) == []
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
