"""Every statement that sets up a warehouse: taken by the stand-in, and which of them it does nothing for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from concord.gateways.snowflake import Snowflake, statements_of
from concord.provision import KEPT, not_kept, set_up_account
from concord.settings import PROJECT, load_settings
from concord.standins.snowflake.statements import rewrite
from tests.conformance.snowflake.server import Server

pytestmark = pytest.mark.conformance

FOLDER = PROJECT / "engines" / "snowflake"
OBJECTS = sorted(FOLDER.glob("*.sql"))
ACCOUNT = sorted((FOLDER / "account").glob("*.sql"))
DONE_FOR_REAL = "create schema if not exists GOVERNANCE"
"""The one statement of an administrator that the stand-in carries out."""


def statements(files: list[Path]) -> list[str]:
    return [statement.strip(" \n;") for file in files for statement in statements_of(file.read_text())]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowflake]:
    with (
        Server(tmp_path_factory.mktemp("account") / "data") as server,
        server.client(role="ACCOUNTADMIN") as client,
    ):
        yield client


def test_objects_are_made_and_an_administrators_statements_do_nothing() -> None:
    assert [statement for statement in statements(OBJECTS) if rewrite(statement).is_no_operation] == []
    assert [one for one in statements(ACCOUNT) if not rewrite(one).is_no_operation] == [DONE_FOR_REAL]


def test_the_stand_in_takes_every_statement_twice_and_keeps_nothing_of_the_account(account: Snowflake) -> None:
    settings = load_settings()
    sent = set_up_account(account, settings)
    assert sent == set_up_account(account, settings) > 100
    assert set(not_kept(account)) == set(KEPT)
