"""The gateway against the running PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from concord import bootstrap
from concord.contracts.names import OWNER_ROLE
from concord.contracts.tables import TABLES
from concord.errors import ContractViolation, Misconfigured, Unavailable
from concord.gateways.postgres import Postgres, Session, TablesBusy
from concord.provision import SUPERUSER
from concord.settings import Settings
from tests.shop_database import TABLES_SQL, own_shop

pytestmark = pytest.mark.integration

ADD_USER = "insert into users (email) values (%s)"
ADD_PRODUCT = "insert into products (id, sku, name, price, stock_quantity, category) values (1, 'a', 'a', 1, 1, 'a')"
ADD_ORDER = "insert into orders (status, total_amount) values ('pending', 1)"
ADD_ITEM = (
    "insert into order_items (order_id, product_id, quantity, unit_price) "
    "values (currval(pg_get_serial_sequence('orders', 'id')), 1, 1, 1)"
)
ITEMS_FIRST = "lock table order_items in row exclusive mode"
COUNTS = "select (select count(*) from orders), (select count(*) from order_items)"


def place_order(session: Session, *before: str) -> None:
    """An order with one item, in one transaction."""
    with session.transaction():
        for statement in (*before, ADD_ORDER, ADD_ITEM):
            session.execute(statement)


@pytest.fixture
def shop(settings: Settings) -> Iterator[Postgres]:
    with own_shop(settings) as postgres:
        yield postgres


def test_values_come_back_as_they_went(shop: Postgres) -> None:
    moment = datetime(2010, 12, 1, 8, 26, 0, 123000, tzinfo=UTC)
    values = (Decimal("99999999.99"), moment, "naïve 日本", None, 2**63 - 1)
    [row] = shop.query("select %s::numeric(10,2), %s::timestamptz(3), %s::text, %s::text, %s::bigint", values)
    assert row == values


def test_an_answer_names_its_columns(shop: Postgres) -> None:
    assert shop.answer("select 1 as one, 'x' as x") == (["one", "x"], [(1, "x")])
    assert shop.answer("set search_path to public") == ([], [])


def add_users(session: Session, *emails: str | None) -> None:
    with session.transaction():
        for email in emails:
            session.execute(ADD_USER, (email,))


def test_a_failed_transaction_leaves_nothing(shop: Postgres) -> None:
    with shop.connect() as session:
        with pytest.raises(ContractViolation, match="email"):
            add_users(session, "a@example.com", None)
        assert session.query("select count(*) from users") == [(0,)]


def test_a_pipeline_commits_what_came_before_a_failure_and_nothing_after(shop: Postgres) -> None:
    def sent(session: Session) -> None:
        with session.pipeline() as pipeline:
            for email in ("a@example.com", None, "c@example.com"):
                with session.transaction():
                    session.prepared(ADD_USER, (email,))
            pipeline.sync()

    with shop.connect() as session, pytest.raises(ContractViolation, match="email"):
        sent(session)
    assert shop.query("select email from users") == [("a@example.com",)]


def test_copied_rows_are_counted(shop: Postgres) -> None:
    rows = [(f"{number}@example.com", None) for number in range(1_000)]
    assert shop.copy_rows("users", ("email", "first_name"), rows) == 1_000
    assert shop.query("select count(*), count(first_name) from users") == [(1_000, 0)]


def test_a_large_answer_is_streamed(shop: Postgres) -> None:
    with shop.connect() as session, session.transaction():
        rows = session.stream("select n from generate_series(1, 50000) as n", page=1_000)
        assert sum(number for (number,) in rows) == 50_000 * 50_001 // 2


def test_a_file_runs_as_a_whole_or_not_at_all(shop: Postgres, tmp_path: Path) -> None:
    (tmp_path / "two.sql").write_text(
        "insert into users (email) values ('a');\ninsert into users (email) values (null);"
    )
    with pytest.raises(ContractViolation):
        shop.run_file(tmp_path / "two.sql")
    assert shop.query("select count(*) from users") == [(0,)]


@pytest.mark.parametrize("statement", ["select * from nothing_here", "select * frm users", "create role x superuser"])
def test_a_statement_the_server_refuses_is_named(shop: Postgres, statement: str) -> None:
    with pytest.raises(Misconfigured, match=shop.database):
        shop.query(statement)


def test_a_wrong_port_password_or_database_is_told_apart(shop: Postgres) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1/"):
        replace(shop, host="127.0.0.1", port=1).query("select 1")
    with pytest.raises(Misconfigured, match="no_such_database"):
        replace(shop, database="no_such_database").query("select 1")


@pytest.mark.parametrize("truncated", ["users", "products", "orders", "order_items"])
@pytest.mark.parametrize("role", [OWNER_ROLE, SUPERUSER])
def test_a_captured_table_refuses_truncate(shop: Postgres, settings: Settings, role: str, truncated: str) -> None:
    shop.execute(ADD_USER, ("kept@example.com",))
    session = bootstrap.postgres(settings, role=role, database=shop.database)
    for statement in (f"truncate {truncated} cascade", f"truncate {', '.join(TABLES)}"):
        with pytest.raises(Misconfigured, match="change capture does not carry TRUNCATE") as refusal:
            session.execute(statement)
        assert "delete from " in refusal.value.hint
    assert shop.query("select email from users") == [("kept@example.com",)]


def test_a_cascade_from_a_table_of_somebody_elses_is_refused_too(shop: Postgres) -> None:
    shop.execute("create table regions (id bigint primary key)")
    shop.execute("alter table users add column region bigint references regions (id)")
    with pytest.raises(Misconfigured, match="truncate of users is refused"):
        shop.execute("truncate regions cascade")


def test_tables_can_be_set_up_again(shop: Postgres, settings: Settings) -> None:
    superuser = bootstrap.postgres(settings, role=SUPERUSER, database=shop.database)
    superuser.run_file(TABLES_SQL)
    triggers = "select count(*) from pg_trigger where tgname = 'refuse_truncate'"
    assert shop.query(triggers) == [(len(TABLES),)]


def test_a_fence_reads_the_moment_it_marks(shop: Postgres) -> None:
    shop.execute(ADD_USER, ("before@example.com",))
    with shop.fence("test") as fence:
        shop.execute(ADD_USER, ("after@example.com",))
        assert fence.reader.query("select email from users") == [("before@example.com",)]
        assert shop.query("select id, label from fence") == [(fence.id, "test")]
    assert shop.query("select count(*) from users") == [(2,)]


@contextmanager
def writing(shop: Postgres, writers: int, pause: float, *before: str) -> Iterator[list[int]]:
    """Threads that place orders all the time; each order adds to the list."""
    placed: list[int] = []
    done = Event()

    def write() -> None:
        with shop.connect() as session:
            while not done.wait(pause):
                place_order(session, *before)
                placed.append(1)

    shop.execute(ADD_PRODUCT)
    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write) for _ in range(writers)]
        try:
            yield placed
        finally:
            done.set()
        for writer in running:
            writer.result()


def test_a_fence_never_cuts_through_a_transaction_while_others_write(shop: Postgres) -> None:
    counts: list[tuple[int, int]] = []
    with writing(shop, 3, 0.001) as placed:
        while len(set(counts)) < 5:
            with shop.fence("while others write") as fence:
                counts += fence.reader.query(COUNTS)
    assert all(orders == items for orders, items in counts)
    assert counts == sorted(counts)
    assert shop.query(COUNTS) == [(len(placed), len(placed))]


def test_a_fence_kills_no_writer_that_takes_the_tables_in_another_order(shop: Postgres) -> None:
    with writing(shop, 1, 0.02, ITEMS_FIRST) as placed:
        for number in range(3):
            with shop.fence(f"fence {number}") as fence:
                [(orders, items)] = fence.reader.query(COUNTS)
                assert orders == items
    assert shop.query(COUNTS) == [(len(placed), len(placed))]


def test_a_fence_gives_way_to_a_writer_and_gives_up_in_time(shop: Postgres) -> None:
    with shop.connect() as writer, writer.transaction():
        writer.execute(ADD_USER, ("open@example.com",))
        with pytest.raises(TablesBusy, match="lock"), shop.fence("busy", patience=1.0):
            pytest.fail("no fence while a writer is in flight")
    assert shop.query("select count(*) from users") == [(1,)]
    assert shop.query("select count(*) from fence") == [(0,)]
