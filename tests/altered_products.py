"""``products`` altered while a product changes: what Kafka and the lake have of it then."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from concord.contracts.names import cdc_topic
from concord.contracts.tables import PRODUCTS, as_landed
from concord.gateways.kafka import Kafka, Record
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres, Session
from tests.waiting import eventually

SNAPSHOT_SECONDS = 180
RESTORED = (
    "alter table products drop column if exists colour",
    "alter table products alter column stock_quantity type integer",
)
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
RECORDS = len(STEPS) + 1


def life_of_a_product(postgres: Postgres, kafka: Kafka) -> int:
    """A product that goes through the steps; its id. Afterwards the table is as it was, for the other tests."""
    with _altered(postgres) as session:
        first = _product(session)
        eventually(lambda: _sent(kafka, first), SNAPSHOT_SECONDS)  # a new stack begins with a snapshot
        key = _product(session)
        _live(session, kafka, key)
    return key


def landed(lake: Lake, key: int) -> list[dict[str, Any]]:
    """The product's records in Kafka's order."""
    rows = lake.scan(as_landed(PRODUCTS).name).to_pylist()
    own = [{**row, "record": json.loads(row["value"])} for row in rows]
    return sorted((row for row in own if row["record"]["id"] == key), key=lambda row: row["_offset"])


@contextmanager
def _altered(postgres: Postgres) -> Iterator[Session]:
    with postgres.connect() as session:
        try:
            yield session
        finally:
            for statement in RESTORED:
                session.execute(statement)


def _product(session: Session) -> int:
    insert = "insert into products (sku, name, price, stock_quantity, category) values (%s, 'lamp', 5, 3, 'light')"
    return int(session.query(f"{insert} returning id", (f"test-{uuid4().hex}",))[0][0])


def _live(session: Session, kafka: Kafka, key: int) -> None:
    """Each step once the one before is in Kafka: Debezium reads a change by the table as it is when it comes to it."""
    for number, (alter, change) in enumerate(STEPS, start=2):
        if alter:
            session.execute(alter)
        session.execute(f"update products set {change}, updated_at = now() where id = %s", (key,))
        eventually(lambda count=number: len(_sent(kafka, key)) == count)


def _sent(kafka: Kafka, key: int) -> list[Record]:
    return [each for each in kafka.read(cdc_topic(PRODUCTS)) if each.key and json.loads(each.key)["id"] == key]
