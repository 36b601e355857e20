"""The loader against the running PostgreSQL and Kafka, on a slice of the published file."""

# ruff: noqa: DTZ001 - the published files carry no zone

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from concord import bootstrap
from concord.contracts.names import TOPIC_PARTITIONS
from concord.errors import ContractViolation, Unavailable
from concord.gateways.kafka import Kafka
from concord.gateways.postgres import Postgres
from concord.ingest.ledger import Ledger
from concord.ingest.online_retail.lines import read_lines
from concord.ingest.online_retail.load import LOCK
from concord.ingest.online_retail.plan import plan
from concord.ingest.online_retail.run import Clickstream, load_online_retail
from concord.rules.quality import Accepted, judge
from concord.settings import Settings
from tests.retail import REAL_FILE, line, needs_real_file, parquet
from tests.shop_database import own_shop

pytestmark = pytest.mark.integration

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TOPIC = "test.load.events"
TABLES = ("users", "products", "orders", "order_items")


@pytest.fixture
def shop(settings: Settings) -> Iterator[Postgres]:
    with own_shop(settings) as postgres:
        yield postgres


@pytest.fixture
def kafka(settings: Settings) -> Kafka:
    kafka = bootstrap.kafka(settings)
    kafka.create_topics({TOPIC: {"message.timestamp.type": "LogAppendTime"}}, TOPIC_PARTITIONS)
    return kafka


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return parquet(
        tmp_path,
        line("1", "A", quantity=2, price=1.10),
        line("1", "POST", quantity=1, price=5.00),
        line("2", "A", quantity=1, price=1.20, customer=None, at=datetime(2010, 12, 2)),
        line("C3", "A", quantity=-1, price=1.10, at=datetime(2010, 12, 3)),
        line("A4", "B", quantity=1, price=-9.99, customer=None, at=datetime(2010, 12, 4)),
    )


def contents(shop: Postgres) -> list[object]:
    """Every row of the four tables, and where the sequences stand."""
    rows = [shop.query(f"select t::text from {table} t order by id") for table in TABLES]
    return [*rows, [shop.query(f"select last_value from {table}_id_seq") for table in TABLES]]


def slice_of(folder: Path, invoices: int) -> Path:
    """The earliest invoices of the published file as a file of their own."""
    lines = pl.read_parquet(REAL_FILE)
    first = lines["InvoiceNo"].unique(maintain_order=True).head(invoices)
    lines.filter(pl.col("InvoiceNo").is_in(first.implode())).write_parquet(folder / "slice.parquet")
    return folder / "slice.parquet"


def test_every_clause_of_the_mapping_is_in_the_shop(shop: Postgres, small: Path) -> None:
    load_online_retail(shop, small)
    assert shop.query(
        "select external_id, user_id, status, total_amount::text, shipping_address from orders order by id"
    ) == [
        ("1", 17850, "delivered", "7.20", "United Kingdom"),
        ("2", None, "delivered", "1.20", "United Kingdom"),
        ("C3", 17850, "cancelled", "1.10", "United Kingdom"),
        ("A4", None, "delivered", "-9.99", "United Kingdom"),
    ]
    assert shop.query("select id, sku, name, price::text, cost, category from products order by id") == [
        (1, "A", "WHITE HANGING HEART", "1.10", None, "decoration"),
        (2, "POST", "WHITE HANGING HEART", "5.00", None, "service"),
        (3, "B", "WHITE HANGING HEART", "0.00", None, "service"),
    ]
    assert shop.query("select id, email, created_at from users") == [
        (17850, "hana.kowalski.17850@example.com", datetime(2010, 12, 1, 8, 26, tzinfo=UTC))
    ]
    assert shop.query("select order_id, quantity from order_items order by id") == [
        (1, 2),
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 1),
    ]
    assert shop.query("select bool_and(updated_at > created_at), max(updated_at) < '2011-01-01' from orders "
                      "where status = 'delivered'") == [(True, True)]  # fmt: skip
    assert shop.query("select nextval('users_id_seq'), nextval('orders_id_seq')") == [(17851, 5)]


def test_a_second_load_changes_nothing(shop: Postgres, small: Path) -> None:
    assert load_online_retail(shop, small).report.written == 1 + 3 + 4 + 5 + 3 * 3
    before = contents(shop)
    assert load_online_retail(shop, small).report.written == 0
    assert contents(shop) == before


class Killed(Exception):
    """The load was broken off."""


@needs_real_file
@pytest.mark.parametrize("after", [250, 750, 1_000])
def test_a_load_broken_off_goes_on_to_the_same_end(
    shop: Postgres, settings: Settings, tmp_path: Path, after: int
) -> None:
    def die(done: int, total: int) -> None:
        if done >= after:
            raise Killed

    path = slice_of(tmp_path, 400)
    with pytest.raises(Killed):
        load_online_retail(shop, path, progress=die)
    load_online_retail(shop, path)
    with own_shop(settings) as other:
        load_online_retail(other, path)
        assert contents(shop) == contents(other)


@needs_real_file
def test_the_slice_is_in_the_shop_to_the_cent(shop: Postgres, tmp_path: Path) -> None:
    path = slice_of(tmp_path, 300)
    made = plan(read_lines(path))
    load_online_retail(shop, path)
    is_cancelled = pl.col("status") == "cancelled"
    assert shop.query(
        "select count(*), count(*) filter (where status = 'cancelled'), "
        "(sum(total_amount) filter (where status <> 'cancelled') * 100)::bigint from orders"
    ) == [(300, made.orders.filter(is_cancelled).height, made.orders.filter(~is_cancelled)["cents"].sum())]
    assert shop.query(
        "select count(*), sum(quantity * unit_price) = (select sum(total_amount) from orders) from order_items"
    ) == [(made.items.height, True)]
    assert shop.query("select count(*) from orders where status not in ('delivered', 'cancelled')") == [(0,)]


def test_a_limited_load_grows_into_the_whole_one(shop: Postgres, settings: Settings, small: Path) -> None:
    load_online_retail(shop, small, limit=2)
    assert shop.query("select count(*) from orders") == [(2,)]
    load_online_retail(shop, small)
    with own_shop(settings) as other:
        load_online_retail(other, small)
        assert contents(shop) == contents(other)


def test_rows_of_others_keep_their_ids_and_ours_go_behind_them(shop: Postgres, small: Path) -> None:
    load_online_retail(shop, small, limit=2)
    shop.execute("insert into orders (status, total_amount) values ('pending', 1)")
    load_online_retail(shop, small)
    assert shop.query("select id, external_id from orders order by id") == [
        (1, "1"), (2, "2"), (3, None), (4, "C3"), (5, "A4"),
    ]  # fmt: skip


def test_an_edited_row_is_left_alone_by_another_load(shop: Postgres, small: Path) -> None:
    load_online_retail(shop, small)
    shop.execute("update users set email = 'new@example.com'")
    shop.execute("update orders set status = 'cancelled'")
    assert load_online_retail(shop, small).report.written == 0


def test_a_customer_number_that_is_somebody_else_stops_the_load_before_it_writes(shop: Postgres, small: Path) -> None:
    shop.execute("insert into users (id, email) values (17850, 'somebody@example.org')")
    with pytest.raises(ContractViolation, match="customer 17850"):
        load_online_retail(shop, small)
    assert shop.query("select count(*) from products") == [(0,)]


def test_a_bad_row_at_the_end_leaves_nothing_half_loaded(shop: Postgres, tmp_path: Path) -> None:
    path = parquet(tmp_path, line("1"), line("2", quantity=2**40))
    with pytest.raises(ContractViolation, match="row 2, column Quantity"):
        load_online_retail(shop, path)
    assert shop.query("select count(*) from orders") == [(0,)]


def test_two_loads_at_once_are_one_too_many(shop: Postgres, small: Path) -> None:
    with shop.connect() as other:
        other.query("select pg_advisory_lock(%s)", (LOCK,))
        with pytest.raises(Unavailable, match="another load is running"):
            load_online_retail(shop, small)


def test_a_paced_load_takes_its_time(shop: Postgres, small: Path) -> None:
    load_online_retail(shop, small, rate=20)
    assert shop.query("select count(*) from orders") == [(4,)]


def test_clicks_around_the_orders_are_in_kafka_before_the_load_ends(shop: Postgres, kafka: Kafka, small: Path) -> None:
    with Ledger(":memory:") as ledger:
        clickstream = Clickstream(kafka, ledger, clock=lambda: NOW, topic=TOPIC)
        start = kafka.end_position([TOPIC])
        summary = load_online_retail(shop, small, clickstream=clickstream)
        records = list(kafka.read(TOPIC, after=start))
        assert summary.events == len(records) == len(ledger.expected_events())
        verdicts = [judge(record.value, NOW) for record in records]
        documents = [verdict.document for verdict in verdicts if isinstance(verdict, Accepted)]
        assert len(documents) == len(records)
        assert {d["order_id"] for d in documents if d["event_type"] == "PURCHASE"} == {1, 2}
        assert load_online_retail(shop, small, clickstream=clickstream).events == 0
