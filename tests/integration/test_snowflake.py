"""The gateway against the stand-in: files of statements, the publication, failures in words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from concord.contracts.position import Position, Publication
from concord.errors import Misconfigured
from concord.gateways.snowflake import Snowflake
from concord.settings import PROJECT
from tests.conformance.snowflake.server import Server

pytestmark = pytest.mark.integration

ENGINE_FILES = sorted((PROJECT / "engines" / "snowflake").glob("*.sql"))
INSTANT = datetime(2024, 1, 2, 3, 4, 5, 678000, UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("gateway") / "data") as running:
        yield running


@pytest.fixture
def warehouse(server: Server) -> Iterator[Snowflake]:
    with server.client() as client:
        for file in ENGINE_FILES:
            client.run_file(file)
        yield client


def test_files_of_the_engine_run_any_number_of_times(warehouse: Snowflake) -> None:
    for file in ENGINE_FILES:
        warehouse.run_file(file)
    tables = {
        name
        for (name,) in warehouse.query(
            "select lower(table_name) from information_schema.tables where table_schema = 'RAW'"
        )
    }
    assert {"users", "products", "orders", "order_items", "load_audit", "publications"} <= tables


def test_semicolons_and_dashes_in_text_do_not_split_a_file(warehouse: Snowflake, tmp_path: Path) -> None:
    file = tmp_path / "script.sql"
    file.write_text(
        "-- made\ncreate or replace table RAW.texts (v string);\n\ninsert into RAW.texts values ('a; -- b');\n"
    )
    warehouse.run_file(file)
    assert warehouse.query("select v from RAW.texts") == [("a; -- b",)]


def test_newest_publication_is_the_one_that_counts(warehouse: Snowflake) -> None:
    warehouse.execute("delete from RAW.publications")
    assert warehouse.publication() is None
    position = Position.of([("ecommerce.public.orders", 0, 41), ("ecommerce.public.orders", 1, 7)])
    for batch in ("b1", "b2"):
        warehouse.execute(
            "insert into RAW.publications (batch_id, position, as_of, published_at) values (%s, %s, %s, %s)",
            (batch, '{"ecommerce.public.orders": {"0": 41, "1": 7}}', INSTANT, INSTANT),
        )
    assert warehouse.publication() == Publication("b2", position, INSTANT, INSTANT)


def test_records_carry_the_names_of_the_contract(warehouse: Snowflake) -> None:
    assert warehouse.records("select 1 as id, 'x' as _topic") == [{"id": 1, "_topic": "x"}]
    assert warehouse.answer("select 1 as id where false") == (["ID"], [])


def test_an_answer_comes_as_arrow_with_its_types(warehouse: Snowflake) -> None:
    answer = warehouse.arrow("select 7 as ID, 1.50::number(10, 2) as PRICE, null::string as NAME")
    assert answer.column_names == ["id", "price", "name"]
    assert answer.to_pylist() == [{"id": 7, "price": Decimal("1.50"), "name": None}]
    assert warehouse.arrow("select id from RAW.ORDERS where 1 = 0").num_rows == 0
    with pytest.raises(Misconfigured, match="NOWHERE"):
        warehouse.arrow("select * from RAW.NOWHERE")


def test_wrong_statement_is_named_by_its_first_line(warehouse: Snowflake) -> None:
    with pytest.raises(Misconfigured, match=r"cannot run 'select nothing'.*NOTHING") as caught:
        warehouse.query("\nselect nothing\nfrom RAW.users")
    assert "\n" not in caught.value.message


def test_missing_table_says_what_makes_it(warehouse: Snowflake) -> None:
    with pytest.raises(Misconfigured) as caught:
        warehouse.query("select * from RAW.not_there")
    assert "concord up" in caught.value.hint


def test_transactions_do_not_nest(warehouse: Snowflake) -> None:
    with warehouse.transaction(), pytest.raises(Misconfigured, match="nest"), warehouse.transaction():
        pass


def test_rows_touched_are_counted(warehouse: Snowflake) -> None:
    warehouse.execute("create or replace table RAW.counted (i number)")
    assert warehouse.execute_many("insert into RAW.counted values (%s)", [(1,), (2,), (3,)]) == 3
    assert warehouse.execute("update RAW.counted set i = i + 1 where i > 1") == 2
    assert warehouse.execute("delete from RAW.counted") == 3
    assert warehouse.execute("delete from RAW.counted") == 0


def test_password_is_not_shown(server: Server) -> None:
    assert "secret" not in repr(server.client())
