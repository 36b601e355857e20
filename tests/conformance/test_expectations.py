"""Every declared rule finds in the warehouse what it finds row by row in Python."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from concord.contracts.expectations import Layer, Statistic
from concord.contracts.model import Dataset
from concord.contracts.tables import ORDERS
from concord.dialects.expectations import daily, relation
from concord.dialects.snowflake import create_table
from concord.gateways.snowflake import Snowflake
from concord.quality import layers
from concord.rules.data_quality import MEASURES
from tests.conformance.snowflake.server import Server
from tests.factories import EPOCH, row
from tests.quality_oracle import Row, broken, faulty_shop

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowflake]:
    with Server(tmp_path_factory.mktemp("rules") / "data") as server, server.client() as client:
        yield client


def fill(warehouse: Snowflake, dataset: Dataset, name: str, rows: list[Row]) -> None:
    """The dataset under its checked name, with nulls wherever a row has them."""
    columns = tuple(replace(column, nullable=True) for column in dataset.columns)
    lax = replace(dataset, name=relation(name), columns=columns)
    warehouse.execute(f"drop table if exists RAW.{lax.name}")
    warehouse.execute(create_table(lax))
    marks = ", ".join(["%s"] * len(lax.names))
    values = [[each[column] for column in lax.names] for each in rows]
    warehouse.execute_many(f"insert into RAW.{lax.name} ({', '.join(lax.names)}) values ({marks})", values)


@pytest.mark.parametrize("seed", [1, 2])
def test_rules_find_in_the_warehouse_what_they_find_row_by_row(warehouse: Snowflake, seed: int) -> None:
    shop = faulty_shop(seed)
    for name, dataset in layers.HOLDS[Layer.RAW].items():
        fill(warehouse, dataset, name, list(shop[name]))
    found = warehouse.query(f"select rule, row_key from ({layers.violations(Layer.RAW)}) as found")
    assert sorted(found) == broken(shop)


def test_measures_of_a_day_are_exact(warehouse: Snowflake) -> None:
    users = (1, None, None, 2)
    states = ("cancelled", "pending", "pending", "pending")
    orders = [
        row(ORDERS, number, user_id=user, status=status, created_at=EPOCH, total_amount="2.50")
        for number, (user, status) in enumerate(zip(users, states, strict=True), start=1)
    ]
    fill(warehouse, ORDERS, ORDERS.name, orders)
    wanted = {Statistic.ROWS: 4, Statistic.SUM: 10, Statistic.SHARE_NULL: 0.5, Statistic.SHARE_EQUAL: 0.25}
    own = [measure for measure in MEASURES.values() if measure.dataset == ORDERS.name]
    found = {measure.statistic: warehouse.query(daily(measure)) for measure in own}
    assert {statistic: float(rows[0][1]) for statistic, rows in found.items()} == wanted
    assert {rows[0][0] for rows in found.values()} == {EPOCH.date()}
