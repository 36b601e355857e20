"""The batch from the lake to what readers see: real Iceberg tables, the official connector, dbt.

Only the catalog differs from the running platform: the tables lie in a folder.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from concord.batch import job
from concord.batch.build import Built, Dbt, variables
from concord.batch.days import Days
from concord.batch.extent import Extent, State, builds, following, note
from concord.batch.feeds import CHANGE_FEEDS
from concord.batch.publish import PUBLISHED, publications, publish
from concord.batch.range import between
from concord.batch.read_lake import changes, check_unique, summarize
from concord.contracts.derived import MODEL_BUILDS, RAW_DEAD_LETTERS
from concord.contracts.events import EventType
from concord.contracts.lake_metrics import JOB_RUNS
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position, Publication
from concord.contracts.tables import (
    ORDER_ITEMS,
    ORDERS,
    PRODUCTS,
    TABLES,
    USERS,
    as_change,
    as_landed,
)
from concord.dialects import snowflake as dialect
from concord.errors import ContractViolation, Disagreement, Misconfigured, Unavailable
from concord.gateways.snowflake import Snowflake
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.settings import PROJECT, child_environment
from tests.conformance.snowflake.server import Server
from tests.factories import change_bytes, change_row, edge_row, event, event_bytes, to_bytes
from tests.local_lake import LocalLake
from tests.spark.conftest import Java
from tests.speed_store import SpeedStore

pytestmark = pytest.mark.spark

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
JUNE = Days(date(2024, 6, 1), date(2024, 6, 30))
"""When Kafka took the shop's changes; the clickstream came later."""
DAY_ONE, DAY_TWO = datetime(2024, 6, 1, 10, tzinfo=UTC), datetime(2024, 6, 2, 23, 59, 59, 999000, tzinfo=UTC)
INSTANTS = ("_timestamp", "first_seen_at", "loaded_at")
Row = dict[str, Any]
PURCHASE = event(EventType.PURCHASE, 2, properties=...)
PURCHASE["event_id"] = PURCHASE["event_id"].upper()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, java: Java) -> Server:
    """Ends after Java does: the connector takes its leave of it, and waits for minutes where it is gone."""
    folder = tmp_path_factory.mktemp("snowflake")
    secret = folder / "password"
    secret.write_text("secret")
    server = Server(folder / "data", arguments=("--user", "concord", "--password-file", str(secret)))
    return java.outliving.enter_context(server)


@pytest.fixture(scope="class")
def lake(spark: SparkSession) -> Iterator[LocalLake]:
    found = LocalLake(spark)
    found.create(JOB_RUNS)
    yield found
    found.clear()


@pytest.fixture(scope="class")
def warehouse(server: Server) -> Iterator[Snowflake]:
    with server.client() as client:
        for schema in ("RAW", "STAGING", "MARTS"):
            client.execute(f"drop schema if exists {schema} cascade")
            client.execute(f"create schema {schema}")
            for dataset in dialect.TABLES_BY_SCHEMA[schema]:
                client.execute(dialect.create_table(dataset, schema))
        yield client


@pytest.fixture(scope="module")
def dbt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that the project is parsed once."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="class")
def tools(
    lake: LocalLake, warehouse: Snowflake, dbt_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> job.Tools:
    names = ("account", "host", "port", "protocol", "user", "database", "warehouse", "role")
    environment = child_environment(
        **{f"CONCORD_DBT_{name.upper()}": str(getattr(warehouse, name)) for name in names},
        DBT_ENV_SECRET_CONCORD_PASSWORD=warehouse.password or "",
    )
    return job.Tools(
        lake=lake,  # type: ignore[arg-type]
        warehouse=warehouse,
        loader=warehouse,
        speed=SpeedStore(),  # type: ignore[arg-type]
        spark=lambda: nullcontext(lake.spark),
        connector_options=warehouse.spark_options(),
        dbt=Dbt(PROJECT / "dbt_project", dbt_folder, environment),
        folder=tmp_path_factory.mktemp("batch"),
    )


def user(seed: int, offset: int, op: str = "c", **named: Any) -> Row:
    return change_row(USERS, op, seed, offset, **{"created_at": DAY_ONE, "updated_at": DAY_ONE, **_unless(op, named)})


def order(seed: int, offset: int, op: str = "c", **named: Any) -> Row:
    given = {"user_id": None, "status": "pending", "created_at": DAY_ONE, "updated_at": DAY_ONE, **named}
    return change_row(ORDERS, op, seed, offset, **_unless(op, given))


def item(seed: int, offset: int, order_id: int, quantity: int, price: str) -> Row:
    named = {"order_id": order_id, "product_id": 1, "quantity": quantity, "unit_price": Decimal(price)}
    return change_row(ORDER_ITEMS, "c", seed, offset, **named)


def _unless(op: str, named: Row) -> Row:
    return {} if op == "d" else named


def fill(lake: LocalLake) -> None:
    """Two buyers and a guest on two days; one user deleted, one order cancelled, one delivered."""
    lake.append(PRODUCTS, change_row(PRODUCTS, "c", 1, 0, price=Decimal("5.00"), cost=Decimal("2.00")))
    lake.append(USERS, user(1, 0), user(2, 0), user(3, 0), user(3, 1, "d"))
    lake.append(
        ORDERS,
        order(1, 0, user_id=1, total_amount=Decimal("9.00")),
        order(1, 1, "u", user_id=1, total_amount=Decimal("9.00"), status="delivered", updated_at=DAY_TWO),
        order(2, 0, user_id=2, total_amount=Decimal("100.01"), status="cancelled"),
        order(3, 0, total_amount=Decimal("1.00"), shipping_address=None),
        order(4, 0, user_id=1, total_amount=Decimal("3.00"), created_at=DAY_TWO, updated_at=DAY_TWO),
    )
    lake.append(ORDER_ITEMS, item(1, 0, 1, 2, "4.50"), item(2, 0, 3, 1, "1.00"), item(3, 0, 4, 1, "3.00"))
    lake.append(ORDER_ITEMS, item(4, 0, 2, 1, "100.01"))


def run(tools: job.Tools, **request: Any) -> job.Outcome:
    return job.run(tools, job.Request(now=request.pop("now", NOON), **request), job.silent)


def contents(warehouse: Snowflake) -> dict[str, list[str]]:
    """Every row of every table that a batch writes, load and audit metadata included."""
    names = [*(f"RAW.{d.name}" for d in dialect.RAW_DATASETS), *(f"{schema}.{d.name}" for schema, d in PUBLISHED)]
    return {name: sorted(map(repr, warehouse.query(f"select * from {name}"))) for name in names}


def built(warehouse: Snowflake) -> dict[str, list[str]]:
    """All of it but the book of builds."""
    return {name: rows for name, rows in contents(warehouse).items() if name != f"RAW.{MODEL_BUILDS.name}"}


class Dying(Dbt):
    """What is left of a build that is killed before its first model."""

    def build(self, as_of: datetime, extent: Extent) -> Built:
        raise Unavailable("dbt broke off", "run the batch again")


def mart(warehouse: Snowflake) -> list[Row]:
    return warehouse.records("select * from MARTS.daily_business_metrics order by date")


@pytest.fixture(scope="class")
def first(tools: job.Tools, lake: LocalLake) -> job.Outcome:
    fill(lake)
    lake.land((0, 0, event_bytes(seed=1)), (0, 1, event_bytes(seed=1)), (1, 5, to_bytes(PURCHASE)), (1, 6, b"{"))
    return run(tools)


class TestFirstBatch:
    def test_batch_brings_the_lake_to_what_readers_see(self, tools: job.Tools, first: job.Outcome) -> None:
        assert [(one.table, one.rows_read, one.rows_inserted) for one in first.loaded] == [
            ("users", 4, 4),
            ("products", 1, 1),
            ("orders", 5, 5),
            ("order_items", 4, 4),
            ("events", 2, 2),
            ("dead_letters", 1, 1),
        ]
        one, two = mart(tools.warehouse)
        assert (one["total_orders"], one["completed_orders"], one["cancelled_orders"]) == (3, 1, 1)
        assert (one["total_revenue"], one["revenue_from_new_customers"]) == (Decimal("10.00"), Decimal("9.00"))
        assert (one["new_customers"], one["returning_customers"], one["total_active_customers"]) == (2, 0, 2)
        assert (one["avg_order_value"], one["order_completion_rate"]) == (Decimal("5.0000"), Decimal("0.3333"))
        assert (one["total_items_sold"], one["average_items_per_order"]) == (3, Decimal("1.5000"))
        assert (two["returning_customers"], two["revenue_from_returning_customers"]) == (1, Decimal("3.00"))

        users = tools.warehouse.records("select * from STAGING.users_enhanced order by id")
        assert [row["id"] for row in users] == [1, 2]
        orders = tools.warehouse.records("select * from STAGING.orders_enhanced order by id")
        assert [row["days_to_fulfillment"] for row in orders] == [1, None, None, None]
        assert [row["is_repeat_customer"] for row in orders] == [False, False, False, True]
        lines = tools.warehouse.records("select * from STAGING.order_items_enhanced where id = 1")
        assert (lines[0]["line_total"], lines[0]["discount_amount"], lines[0]["margin_amount"]) == (
            Decimal("9.00"),
            Decimal("1.00"),
            Decimal("5.00"),
        )

    def test_what_spark_took_for_each_step_is_written_down(self, lake: LocalLake, first: job.Outcome) -> None:
        runs = {row["job"]: row for row in lake.table(JOB_RUNS).where(F.col("batch_id") == first.batch_id).collect()}
        of_events = {"judge events", "load events", "load dead_letters"}
        assert {*runs} == {f"{step} {table}" for step in ("load", "mirror") for table in TABLES} | of_events
        assert {(row["mode"], row["state"]) for row in runs.values()} == {("full", "ended")}
        counted = {job: (run["rows_in"], run["rows_out"], run["rows_rejected"]) for job, run in runs.items()}
        assert (counted["load orders"], counted["mirror users"]) == ((5, 5, 0), (4, 2, 0))
        assert first.publication
        for row in runs.values():
            assert row["as_of"].astimezone(UTC) == first.publication.as_of
            assert json.loads(row["position"]) == first.publication.position.as_json()
            assert row["cpu_seconds"] > 0
            assert row["peak_memory_bytes"] > 1 << 26
        assert runs["mirror orders"]["shuffle_write_bytes"] > 0

    def test_batch_without_anything_new_publishes_nothing(self, tools: job.Tools, first: job.Outcome) -> None:
        before = contents(tools.warehouse)
        assert run(tools).publication is None
        assert contents(tools.warehouse) == before

    def test_models_pass_their_own_unit_tests(self, tools: job.Tools, first: job.Outcome) -> None:
        done = tools.dbt.run("test", "--select", "test_type:unit", batch=variables(NOON, Extent(Position())))
        assert done.code == 0, done.output

    def test_publication_is_recorded_once(self, tools: job.Tools, first: job.Outcome) -> None:
        assert first.publication
        publish(tools.warehouse, replace(first.publication, published_at=NOON.replace(hour=20)))
        assert publications(tools.warehouse) == [
            Publication(str(first.batch_id), first.publication.position, first.publication.as_of, NOON)
        ]

    def test_clickstream_is_judged_and_loaded_once_whatever_is_run_again(
        self, tools: job.Tools, lake: LocalLake, first: job.Outcome
    ) -> None:
        lake.land((0, 2, event_bytes(seed=1)), (2, 0, None))
        second = run(tools, now=NOON.replace(hour=13))

        found = tools.warehouse.records("select * from RAW.events order by _partition, _offset")
        assert [(row["_partition"], row["_offset"], row["batch_id"]) for row in found] == [
            (0, 0, first.batch_id),
            (1, 5, first.batch_id),
        ]
        assert found[1]["event_id"] == PURCHASE["event_id"].lower()
        assert found[0]["file_name"].endswith(".parquet")
        dead = tools.warehouse.records("select reason, _partition, _offset from RAW.dead_letters order by _partition")
        assert [tuple(row.values()) for row in dead] == [("not_json", 1, 6), ("not_json", 2, 0)]
        counted = "select batch_id, _partition, _offset, records_in, stored, dead, duplicate from RAW.event_audit order by 1, 2"
        assert tools.warehouse.query(counted) == [
            (first.batch_id, 0, 1, 2, 1, 0, 1),
            (first.batch_id, 1, 6, 2, 1, 1, 0),
            (second.batch_id, 0, 2, 1, 0, 0, 1),
            (second.batch_id, 2, 0, 1, 0, 1, 0),
        ]

        before = contents(tools.warehouse)
        run(tools, again=first.batch_id, now=NOON.replace(hour=14))
        assert contents(tools.warehouse) == before

    def test_what_raw_lacks_of_some_days_is_brought_and_built_in_once(
        self, tools: job.Tools, first: job.Outcome
    ) -> None:
        before, at_noon = built(tools.warehouse), partial(run, tools, again=str(first.batch_id), days=JUNE)
        assert job.brought_on(tools, JUNE) == [first.batch_id]
        for table in ("RAW.orders", "STAGING.orders_enhanced", "STAGING_SHADOW.orders_enhanced"):
            assert tools.warehouse.execute(f"delete from {table} where id = 4") == 1
        with pytest.raises(Unavailable):
            run(replace(tools, dbt=Dying(**vars(tools.dbt))), again=str(first.batch_id), days=JUNE)
        assert tools.warehouse.query("select count(*) from RAW.orders where id = 4") == [(1,)]
        done = at_noon()
        assert {one.rows_inserted for one in done.loaded} == {0}
        assert done.built
        assert done.built.models > 0
        assert built(tools.warehouse) == before
        again = at_noon()
        assert again.built
        assert (again.built.models, {one.rows_inserted for one in again.loaded}) == (0, {0})
        assert built(tools.warehouse) == before

    def test_days_on_which_nothing_came_are_named(self, tools: job.Tools, first: job.Outcome) -> None:
        with pytest.raises(Misconfigured, match="no published batch holds a record that Kafka received from 2020-"):
            job.brought_on(tools, Days(date(2020, 1, 1), date(2020, 1, 31)))

    def test_publication_that_dies_in_the_middle_shows_the_old_state(
        self, tools: job.Tools, first: job.Outcome
    ) -> None:
        published = builds(tools.warehouse)[-1]
        note(tools.warehouse, replace(following(published, State.ENDED), is_full=True))
        before = contents(tools.warehouse)
        tools.warehouse.execute("delete from STAGING_SHADOW.users_enhanced")
        tools.warehouse.execute("drop table MARTS_SHADOW.daily_business_metrics")
        with pytest.raises(Misconfigured):
            publish(tools.warehouse, replace(publications(tools.warehouse)[-1], batch_id="half"))
        assert contents(tools.warehouse) == before


def test_row_planted_in_raw_stops_the_batch_and_loads_nothing(tools: job.Tools, lake: LocalLake) -> None:
    fill(lake)
    columns = "id, __op, _topic, _partition, _offset, _timestamp, batch_id"
    topic = cdc_topic(ORDERS)
    tools.warehouse.execute(
        f"insert into RAW.orders ({columns}) select 2, 'u', '{topic}', 1, 0, '2024-01-01'::timestamp_ntz, 'planted'"
    )
    tools.warehouse.execute(
        f"insert into RAW.orders ({columns}) select 2, 'u', '{topic}', 1, 0, '2024-01-01'::timestamp_ntz, 'twice'"
    )
    with pytest.raises(Disagreement, match=r"RAW\.orders against the lake: 6 rows where 5"):
        run(tools)
    assert [row[0] for row in tools.warehouse.query("select batch_id from RAW.orders order by 1")] == [
        "planted",
        "twice",
    ]
    assert tools.warehouse.query("select count(*) from RAW.users") == [(0,)]


def test_credentials_that_expire_between_two_tables_leave_nothing_partial(tools: job.Tools, lake: LocalLake) -> None:
    fill(lake)
    options = dict(tools.connector_options)

    @contextmanager
    def expire(step: str) -> Iterator[None]:
        yield
        if step == "load users":
            options["sfPassword"] = "expired"

    with pytest.raises(Unavailable, match=r"could not load products: .*Incorrect username or password"):
        job.run(replace(tools, connector_options=options), job.Request(NOON), expire)
    assert set(rows_in_raw(tools).values()) == {0}
    (failed,) = lake.table(JOB_RUNS).where("state = 'failed'").collect()
    assert failed["job"] == "load products"
    assert "Incorrect username or password" in failed["detail"]
    _load_only(tools, lake, {})
    assert rows_in_raw(tools).items() >= {"users": 4, "products": 1, "orders": 5, "order_items": 4}.items()


def rows_in_raw(tools: job.Tools) -> dict[str, int]:
    names = [dataset.name for dataset in dialect.RAW_DATASETS]
    return {name: tools.warehouse.query(f"select count(*) from RAW.{name}")[0][0] for name in names}


def test_values_of_every_type_arrive_in_raw_as_they_left_the_lake(tools: job.Tools, lake: LocalLake) -> None:
    texts = [
        "",
        "NULL",
        "null",
        "\\N",
        'say "hi", ok',
        "two\nlines\r\n",
        "tab\tback\\slash",
        "Ωmega 🎁",
        " blank ",
        "'",
    ]
    rows = [user(4 * seed, seed, first_name=text, last_name=None) for seed, text in enumerate(texts, start=1)]
    amounts = [Decimal("99999999.99"), Decimal("-0.01"), Decimal("0.00")]
    orders = [order(4 * seed, seed, total_amount=amount) for seed, amount in enumerate(amounts, start=1)]
    orders.append(change_row(ORDERS, "c", 4, 2**53, **{**edge_row(ORDERS), "created_at": DAY_TWO}))
    _load_only(tools, lake, {USERS.name: rows, ORDERS.name: orders})
    for table, expected in ((USERS, rows), (ORDERS, orders)):
        names = ", ".join(as_change(table).names)
        found = tools.warehouse.records(f"select {names} from RAW.{table.name} order by _offset")
        assert found == expected


def test_a_change_that_is_no_row_is_a_dead_letter_until_the_contract_has_room_for_it(
    tools: job.Tools, lake: LocalLake
) -> None:
    bent = order(4, 1)
    record = json.loads(change_bytes(ORDERS, bent)) | {"total_amount": "12.345", "channel": "web"}
    lake.fill(as_landed(ORDERS), [{**bent, "value": to_bytes(record)}])
    at, topic = "'2024-01-01'::timestamp_ntz", cdc_topic(ORDERS)
    values = {"_topic": f"'{topic}'", "_partition": "0", "_offset": "0", **dict.fromkeys(INSTANTS, at)}
    before = (values.get(name, "'before'") for name in RAW_DEAD_LETTERS.names)
    tools.warehouse.execute(f"insert into RAW.dead_letters select {', '.join(before)}")  # what is a row by now
    _load_only(tools, lake, {ORDERS.name: [order(4, 0)]})

    assert tools.warehouse.query("select _offset from RAW.orders") == [(0,)]
    letters = tools.warehouse.query("select _offset, reason, pointer, detail, file_name is null from RAW.dead_letters")
    detail = "does not fit a decimal (10, 2)"
    assert letters == [(1, BAD_CHANGE_RECORD, "/total_amount", detail, False)]
    audited = tools.warehouse.query("select _offset, rows_read from RAW.load_audit")
    assert audited == [(1, 2)]
    booked = lake.table(JOB_RUNS).where("job in ('load orders', 'mirror orders')")
    counted = booked.select("job", "rows_in", "rows_out", "rows_rejected").orderBy("job").collect()
    assert list(map(tuple, counted)) == [("load orders", 2, 1, 1), ("mirror orders", 2, 1, 1)]


def _load_only(tools: job.Tools, lake: LocalLake, rows: dict[str, Sequence[Row]]) -> None:
    """Everything up to RAW: what is built from it does not matter here."""

    @contextmanager
    def until_models(name: str) -> Iterator[None]:
        if name == "build and test models":
            raise ContractViolation("enough")
        yield

    for name, given in rows.items():
        lake.append(TABLES[name], *given)
    with pytest.raises(ContractViolation, match="enough"):
        job.run(tools, job.Request(NOON), until_models)


def test_range_is_read_at_the_pinned_snapshot_and_between_its_offsets(lake: LocalLake) -> None:
    lake.append(USERS, *(user(4, offset) for offset in range(5)))
    pinned = lake.current_snapshot("users_changes")
    lake.append(USERS, user(4, 5), user(4, 3))

    topic = cdc_topic(USERS)
    wanted = between(topic, Position.of([(topic, 0, 1)]), Position.of([(topic, 0, 3)]))
    (feed,) = (feed for feed in CHANGE_FEEDS if feed.topic == topic)
    rows = changes(lake.spark, feed, wanted, pinned)
    assert sorted(row["_offset"] for row in rows.collect()) == [2, 3]
    assert all(row["file_name"].endswith(".parquet") for row in rows.collect())
    check_unique("users_changes", wanted, summarize(rows))

    newer = changes(lake.spark, feed, wanted, lake.current_snapshot("users_changes"))
    with pytest.raises(Disagreement, match="holds 1 changes twice"):
        check_unique("users_changes", wanted, summarize(newer))
