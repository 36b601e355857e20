"""Every statement that sets up a warehouse: taken by the stand-in, and which of them it does nothing for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from concord.batch.extent import Build, State, builds, note, owe_anew
from concord.contracts.model import Column
from concord.contracts.position import Position
from concord.contracts.types import Boolean, Decimal
from concord.dialects.snowflake import TABLES_BY_SCHEMA, type_name
from concord.errors import Misconfigured
from concord.gateways.snowflake import Snowflake, statements_of
from concord.provision import KEPT, SetUp, not_kept, provision_snowflake, require_set_up, set_up_account
from concord.settings import PROJECT, Settings, load_settings
from concord.standins.snowflake.statements import rewrite
from tests.conformance.snowflake.server import Server
from tests.older_contract import older, put_back
from tests.stack import TESTER
from tests.warehouse_list import assert_listed
from tests.warehouse_record import Record
from tests.warehouse_rights import lacking

pytestmark = pytest.mark.conformance

FOLDER = PROJECT / "engines" / "snowflake"
OBJECTS = sorted(FOLDER.glob("*.sql"))
ACCOUNT = sorted((FOLDER / "account").glob("*.sql"))
DONE_FOR_REAL = "create schema if not exists GOVERNANCE"
"""The one statement of an administrator that the stand-in carries out."""


def statements(files: list[Path]) -> list[str]:
    return [statement.strip(" \n;") for file in files for statement in statements_of(file.read_text())]


ORDERS = next(dataset for dataset in TABLES_BY_SCHEMA["STAGING"] if dataset.name == "orders_enhanced")


OLDER = older(ORDERS, without="days_to_fulfillment", total_amount={"type": Decimal(8, 2)}, user_id={"nullable": False})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("account")
    with Server(folder / "data", ("--record", str(folder / "statements.jsonl"))) as running:
        yield running


@pytest.fixture
def account(server: Server) -> Iterator[Snowflake]:
    with server.client(role="ACCOUNTADMIN") as client:
        yield client


@pytest.fixture
def tester(server: Server) -> Iterator[Snowflake]:
    """What a test does there itself is not taken for a statement of the set-up."""
    with server.client(role=TESTER) as client:
        yield client


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> Settings:
    """Of an installation whose warehouse is the server."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "snowflake_password").write_text("secret")
    its = load_settings()
    return its.model_copy(
        update={"home": tmp_path, "snowflake": its.snowflake.model_copy(update={"port": server.port})}
    )


def test_objects_are_made_and_an_administrators_statements_do_nothing() -> None:
    assert [statement for statement in statements(OBJECTS) if rewrite(statement).is_no_operation] == []
    assert [one for one in statements(ACCOUNT) if not rewrite(one).is_no_operation] == [DONE_FOR_REAL]


def test_the_stand_in_takes_every_statement_twice_and_keeps_nothing_of_the_account(
    account: Snowflake, settings: Settings
) -> None:
    sent = set_up_account(account, settings)
    assert sent == set_up_account(account, settings) == SetUp(sent.statements, altered=[])
    assert sent.statements > 100
    assert set(not_kept(account)) == set(KEPT)


def test_a_published_table_that_is_there_follows_its_contract_and_keeps_its_rows(
    account: Snowflake, tester: Snowflake, settings: Settings
) -> None:
    row = ", ".join(map(value, ORDERS.columns))
    tester.execute(f"insert into STAGING.{ORDERS.name} ({', '.join(ORDERS.names)}) values ({row})")
    (before,) = account.records(f"select * from STAGING.{ORDERS.name}")
    put_back(tester, OLDER)
    with pytest.raises(Misconfigured, match=r"STAGING\.orders_enhanced: total_amount from NUMBER\(8,2\)"):
        require_set_up(account)
    assert set_up_account(account, settings).altered == [
        "STAGING.orders_enhanced: user_id may be null",
        "STAGING.orders_enhanced: total_amount from NUMBER(8,2) to NUMBER(10,2)",
        "STAGING.orders_enhanced: days_to_fulfillment added as NUMBER(38,0)",
    ]
    require_set_up(account)
    assert account.records(f"select * from STAGING.{ORDERS.name}") == [{**before, "days_to_fulfillment": None}]
    tester.execute(
        f"update STAGING.{ORDERS.name} set total_amount = 99999999.99, user_id = null, days_to_fulfillment = 2"
    )


def value(column: Column) -> str:
    text = "true" if isinstance(column.type, Boolean) else "'2024-01-01'" if column.name.endswith("_at") else "1"
    return f"cast({text} as {type_name(column.type)})"


def test_where_nobody_owns_the_tables_they_are_made_and_altered(
    account: Snowflake, tester: Snowflake, settings: Settings
) -> None:
    tester.execute(f"delete from STAGING.{ORDERS.name}")
    put_back(tester, OLDER)
    assert len(provision_snowflake(settings)) == 3
    assert provision_snowflake(settings) == []
    require_set_up(account)


def test_what_the_set_up_has_still_to_do_is_named_and_left_to_it(account: Snowflake, tester: Snowflake) -> None:
    tester.execute("drop table if exists MARTS.funnel")
    with pytest.raises(Misconfigured, match=r"MARTS\.funnel is absent") as refused:
        require_set_up(account)
    assert "concord warehouse setup" in refused.value.hint


def test_a_table_that_cannot_follow_is_refused_by_name_and_no_other_is_altered(
    account: Snowflake, tester: Snowflake, settings: Settings
) -> None:
    set_up_account(account, settings)
    put_back(tester, OLDER)
    tester.execute("alter table MARTS.funnel add column surplus string")
    with pytest.raises(Misconfigured, match=r"MARTS\.funnel: column surplus was VARCHAR, is absent by its contract"):
        set_up_account(account, settings)
    tester.execute("alter table MARTS.funnel drop column surplus")
    assert ("total_amount", "NUMBER(8,2)", False) in account.tables("STAGING")[ORDERS.name]


def test_the_loader_may_owe_a_full_build(server: Server, account: Snowflake, settings: Settings) -> None:
    set_up_account(account, settings)
    last = Build(1, State.PUBLISHED, Position(), datetime(2026, 1, 1, tzinfo=UTC), "p", is_full=False)
    with server.client(role="LOADER") as loader:
        owe_anew(loader)
        assert builds(loader) == []
        note(loader, last)
        owe_anew(loader)
        assert builds(loader) == [last, replace(last, number=2, state=State.BEGUN, is_full=True)]


def test_every_statement_of_the_set_up_is_in_the_list(
    server: Server, account: Snowflake, tester: Snowflake, settings: Settings
) -> None:
    set_up_account(account, settings)
    put_back(tester, OLDER)
    set_up_account(account, settings)
    provision_snowflake(settings)
    sent = Record(server.folder.parent / "statements.jsonl", before=0).all()
    assert lacking(sent) == {}
    assert_listed(sent)
