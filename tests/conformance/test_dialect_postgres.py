"""What the PostgreSQL dialect declares holds what the contract says, and refuses what it forbids."""

from collections.abc import Iterator

import pytest

from concord.contracts.model import Dataset
from concord.contracts.tables import ORDERS, TABLES
from concord.errors import ConcordError
from concord.gateways.postgres import Postgres
from concord.settings import Settings
from tests.factories import edge_row, row
from tests.histories import Row
from tests.shop_database import own_shop

pytestmark = [pytest.mark.conformance, pytest.mark.integration]


@pytest.fixture
def shop(settings: Settings) -> Iterator[Postgres]:
    with own_shop(settings) as postgres:
        yield postgres


def insert(shop: Postgres, table: Dataset, sent: Row) -> None:
    marks = ", ".join(["%s"] * len(table.names))
    statement = f"insert into {table.name} ({', '.join(table.names)}) values ({marks})"
    shop.execute(statement, [sent[name] for name in table.names])


@pytest.fixture
def referenced(shop: Postgres) -> Postgres:
    """A row 1 in every table, so that references find something."""
    for table in TABLES.values():
        insert(shop, table, row(table, seed=1))
    return shop


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_extreme_row_comes_back_equal(referenced: Postgres, table: Dataset) -> None:
    references = {column.name: 1 for column in table.columns if column.references and not column.nullable}
    sent = edge_row(table, **references)
    insert(referenced, table, sent)
    [stored] = referenced.query(f"select {', '.join(table.names)} from {table.name} where id = %s", (sent["id"],))
    assert dict(zip(table.names, stored, strict=True)) == sent


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"status": "lost"}, "orders_status_check"),
        ({"user_id": 404}, "orders_user_id_fkey"),
        ({"external_id": "external_id 1"}, "orders_external_id_key"),
        ({"total_amount": None}, "not-null"),
    ],
    ids=str,
)
def test_row_that_breaks_a_rule_of_the_shop_is_refused(referenced: Postgres, change: Row, rule: str) -> None:
    with pytest.raises(ConcordError, match=rule):
        insert(referenced, ORDERS, row(ORDERS, seed=2, **{"user_id": 1, **change}))
    assert referenced.query("select count(*) from orders") == [(1,)]
