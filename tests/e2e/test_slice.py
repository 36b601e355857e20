"""One slice through the whole platform: a shop at work, bad events among good ones, both layers, the source."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from concord import bootstrap
from concord.batch.job import silent
from concord.cli import app, hops, recon
from concord.cli.batch import run_batch
from concord.cli.demo import await_layers
from concord.cli.erase import places_of, stores_of
from concord.cli.load import load_file
from concord.cli.replay import replay
from concord.cli.trace import Traced, stores, trace
from concord.contracts.events import EventType
from concord.contracts.marts import MARTS
from concord.contracts.names import DEAD_LETTER_TOPIC, EVENTS_TOPIC, cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS, PRODUCTS, TABLES, USERS
from concord.erasure.person import Person, find
from concord.erasure.run import prove
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake
from concord.governance.entry import digest
from concord.ingest.generate import Plan, Shares, generate_shop
from concord.ingest.ledger import Ledger
from concord.platform.supervisord import Supervisord
from concord.reconcile.compare import Comparison
from concord.reconcile.run import Report
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.serving.daily import daily_business_metrics
from concord.settings import Settings
from concord.trace.follow import follow_event
from concord.trace.parts import PARTS
from tests import retail
from tests.event_documents import records
from tests.event_oracle import accepted
from tests.factories import change_record, event, to_bytes
from tests.waiting import eventually
from tests.warehouse_list import assert_listed
from tests.warehouse_record import Record
from tests.warehouse_rights import lacking

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

PATIENCE = 300.0
ODD = 3_000
LARGEST = 1_000_000
"""Bytes that a client sends without being told that it may."""
SHARES = Shares(invalid=0.05, duplicate=0.03, late=0.02, out_of_order=0.05, future=0.01)


@dataclass(frozen=True)
class Slice:
    """What was sent, and how the layers agreed once both held it; records behind the one position, up to the other, are odd."""

    settings: Settings
    ledger: Path
    odd: tuple[Position, Position]
    report: Report


def shop_at_work(settings: Settings, name: str, ledger: Path, seconds: float = 20.0) -> None:
    """A seeded shop, as fast as it goes: new, changed and deleted rows, and a clickstream with faults."""
    now = datetime.now(UTC)
    plan = Plan(
        name=f"{name}-{now:%H%M%S%f}",
        seed=7,
        start=now - timedelta(seconds=seconds),
        seconds=seconds,
        events_per_second=60,
        changes_per_second=20,
        users=30,
        products=40,
        shares=SHARES,
    )
    with Ledger(ledger) as book:
        generate_shop(bootstrap.postgres(settings), bootstrap.kafka(settings), plan, book, is_paced=False)


def retail_slice(folder: Path) -> Path:
    """A sale, a guest's, a cancellation, an adjustment and a line that is no product."""
    return retail.parquet(
        folder,
        retail.line(),
        retail.line(sku="71053", description="WHITE METAL LANTERN", quantity=6, price=3.39),
        retail.line(invoice="536414", sku="22139", description="nan", quantity=56, price=0.0, customer=None),
        retail.line(invoice="C536379", sku="D", description="Discount", quantity=-1, price=27.5, customer=14527.0),
        retail.line(invoice="A563185", sku="B", description="Adjust bad debt", quantity=1, price=-11.62, customer=None),
        retail.line(invoice="536370", sku="POST", description="POSTAGE", quantity=3, price=18.0, customer=12583.0),
    )


def edge_rows(postgres: Postgres) -> None:
    """Values that copies are made wrong with: they must come out of every engine as they went in."""
    with postgres.connect() as session, session.transaction():
        [(user,)] = session.query(
            "insert into users (email, first_name, last_name, created_at, updated_at) values (%s, %s, %s, %s, %s) returning id",
            ("zoë@example.com", None, 'Ünïcødé 😀 "quoted", \\n\n', EARLY, LATE),
        )
        [(product,)] = session.query(
            "insert into products (sku, name, description, price, stock_quantity, category, created_at, updated_at) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s) returning id",
            (f"edge-{user}", "NULL", "", "99999999.99", 2147483647, "naïve", EARLY, LATE),
        )
        [(order,)] = session.query(
            "insert into orders (user_id, status, total_amount, shipping_address, created_at, updated_at) "
            "values (%s, 'pending', %s, %s, %s, %s) returning id",
            (user, "-99999999.99", LONG_ADDRESS, EARLY, LATE),
        )
        session.execute(
            "insert into order_items (order_id, product_id, quantity, unit_price, created_at) values (%s, %s, %s, %s, %s)",
            (order, product, -2147483648, "0.01", EARLY),
        )
        # The long address is left out of this change: both layers must keep it.
        session.execute("update orders set status = 'processing' where id = %s", (order,))


def odd_events(kafka: Kafka) -> tuple[Position, Position]:
    """Every kind of good and bad document; the positions of the topic before and after them.

    Some share an id. In one partition, as a producer's records are, it is certain which of them came first.
    """
    before = kafka.end_position([EVENTS_TOPIC])
    producer = kafka.producer()
    for record in records(20260301, ODD, datetime.now(UTC)):
        if record is None or len(record) < LARGEST:
            producer.produce(EVENTS_TOPIC, record, key="odd")
    producer.flush()
    return before, kafka.end_position([EVENTS_TOPIC])


def bad_changes(kafka: Kafka) -> None:
    """What is no row of its table, in the change log of one."""
    producer = kafka.producer()
    for record in BAD_CHANGES:
        producer.produce(cdc_topic(PRODUCTS), record, key="bad")
    producer.flush()


BAD_CHANGES = {
    b"no json": "",
    to_bytes(change_record(PRODUCTS, price="NaN")): "/price",
    to_bytes(change_record(PRODUCTS, op="?")): "/__op",
}
"""Record, and pointer to its fault."""
LONG_ADDRESS = Random(1).randbytes(10_000).hex()
"""Does not compress, so PostgreSQL keeps it out of line and leaves it out of changes that do not touch it."""
EARLY = datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
LATE = datetime(2038, 1, 19, 3, 14, 8, 999000, tzinfo=UTC)


@pytest.fixture(scope="module")
def run(stack: Settings, record: Record, tmp_path_factory: pytest.TempPathFactory) -> Slice:
    folder = tmp_path_factory.mktemp("slice")
    ledger = folder / "ledger.sqlite"
    edge_rows(bootstrap.postgres(stack))
    load_file(stack, retail_slice(folder), hidden=True)
    shop_at_work(stack, "slice", ledger)
    odd = odd_events(bootstrap.kafka(stack))
    bad_changes(bootstrap.kafka(stack))
    await_layers(stack, PATIENCE)
    return Slice(stack, ledger, odd, recon.at_fence(stack, advance=True, timeout=PATIENCE))


@pytest.fixture
def reader(stack: Settings) -> ClickHouse:
    return bootstrap.clickhouse(stack, "reader")


def test_both_layers_equal_the_source_at_a_fence(run: Slice):
    assert differences(run.report) == []
    assert run.report.faults == ()
    assert {c.dataset for c in run.report.comparisons} >= set(TABLES)
    assert sessions_of(run.report).left_rows > 0
    assert sessions_of(run.report).set_aside > 0, "those that a late event reaches"


def sessions_of(report: Report) -> Comparison:
    return next(comparison for comparison in report.comparisons if comparison.dataset == "sessions")


def test_rows_add_up_at_every_hop(run: Slice):
    faults = [fault for flow in hops.all_flows(run.settings) for fault in flow.faults]
    assert faults == []


def test_what_change_capture_has_missed_reaches_both_layers_by_way_of_the_log(
    run: Slice, postgres: Postgres, reader: ClickHouse
):
    gone, changed = (place_order(postgres, date(2020, 4, day), "4.00") for day in (4, 5))
    eventually(lambda: set(shown(reader, gone, changed)) == {gone, changed})
    with capture_blind(postgres):
        postgres.execute("delete from orders where id = %s", (gone,))
        postgres.execute("update orders set status = 'cancelled' where id = %s", (changed,))

    done = concord("recon", "repair", "--yes")

    assert done == [{"table": "orders", "deletes_written": 1, "rows_touched": 1}]
    eventually(lambda: shown(reader, gone, changed) == {changed: "cancelled"})
    assert concord("recon", "repair", "--yes") == []


def shown(reader: ClickHouse, *orders: int) -> dict[int, str]:
    """Status by order, of those that the speed layer shows."""
    rows = reader.query("select id, status from orders_realtime where id in {ids:Array(Int64)}", {"ids": list(orders)})
    return {int(key): str(status) for key, status in rows}


@contextmanager
def capture_blind(postgres: Postgres) -> Iterator[None]:
    """Nobody captures what happens to orders."""
    postgres.execute("alter publication concord_shop drop table orders")
    try:
        yield
    finally:
        postgres.execute("alter publication concord_shop add table orders")


def test_a_value_that_an_update_left_out_is_kept(run: Slice, reader: ClickHouse):
    logged = reader.query("select count() from orders_changes where shipping_address = '__debezium_unavailable_value'")
    shown = reader.query("select count() from orders_realtime where shipping_address = '__debezium_unavailable_value'")
    assert logged[0][0] > 0
    assert shown[0][0] == 0


def test_cut_below_the_fence_is_a_fault(run: Slice, stack: Settings, postgres: Postgres):
    place_order(postgres, date(2020, 2, 2), "1.00")
    report = recon.at_fence(stack, advance=False, timeout=PATIENCE)
    assert not report.agrees
    assert [fault for fault in report.faults if "below the fence" in fault]


def test_every_valid_event_is_stored_once_and_every_bad_one_is_a_dead_letter_once(run: Slice, reader: ClickHouse):
    with Ledger(run.ledger) as ledger:
        expected, dead = ledger.expected_events(), ledger.expected_dead_letters()
    stored = stored_events(reader)
    letters = Counter(tuple(row) for row in reader.query("select _topic, _partition, _offset from dead_letters"))
    assert {event for event in expected if stored[event] != 1} == set()
    assert {place for place in dead if letters[place] != 1} == set()
    assert len(expected) > 500
    assert len(dead) > 20


def stored_events(reader: ClickHouse) -> Counter[str]:
    """How often the speed layer has each event, those that came late among them."""
    rows = reader.query("select event_id from events union all select event_id from events_late")
    return Counter(str(row[0]) for row in rows)


def test_every_odd_document_that_schemas_and_rules_accept_is_in_both_stores(
    run: Slice, stack: Settings, reader: ClickHouse, snowflake: Snowflake
):
    before, until = run.odd
    sent = bootstrap.kafka(stack).read(EVENTS_TOPIC, after=before, until=until)
    verdicts = (accepted(record.value, record.timestamp) for record in sent)
    expected = {document["event_id"].lower() for document in verdicts if document is not None}
    loaded = {str(row[0]) for row in snowflake.query("select event_id from RAW.events")}
    assert expected - stored_events(reader).keys() == set()
    assert expected - loaded == set()
    assert len(expected) > ODD * 0.3


def test_a_dead_letter_keeps_reason_and_original_bytes(run: Slice, reader: ClickHouse):
    kafka = bootstrap.kafka(run.settings)
    rows = reader.query(
        "select reason, hex(ifNull(original, '')), _topic, _partition, _offset from dead_letters where _topic = {topic:String} "
        "order by _partition, _offset limit 5",
        {"topic": EVENTS_TOPIC},
    )
    sent = {(r.topic, r.partition, r.offset): r.value for r in kafka.read(rows[0][2])}
    for reason, original, *place in rows:
        assert reason
        assert bytes.fromhex(original) == (sent[tuple(place)] or b"")


def test_a_bad_change_is_a_dead_letter_in_both_layers(run: Slice, reader: ClickHouse, snowflake: Snowflake):
    letters = reader.query(
        "select reason, pointer, assumeNotNull(original), _partition, _offset from dead_letters where _topic = {topic:String}",
        {"topic": cdc_topic(PRODUCTS)},
    )
    loaded = snowflake.query(
        "select reason, pointer, _partition, _offset from RAW.dead_letters where _topic = %s", (cdc_topic(PRODUCTS),)
    )
    assert {str(original).encode(): pointer for _, pointer, original, *_ in letters} == BAD_CHANGES
    assert {reason for reason, *_ in letters} == {BAD_CHANGE_RECORD}
    assert Counter((reason, pointer, *place) for reason, pointer, _, *place in letters) == Counter(loaded)


def test_an_order_is_traced_through_every_store(
    run: Slice, stack: Settings, snowflake: Snowflake, capsys: pytest.CaptureFixture[str]
):
    [(order,)] = snowflake.query(
        "select min(orders.id) from STAGING.orders_enhanced as orders "
        "inner join STAGING.order_items_enhanced as lines on lines.order_id = orders.id "
        "where orders.user_id is not null and orders.status <> 'cancelled'"
    )
    trace(Traced.ORDERS, str(order), versions=1, as_json=True)
    (version,) = json.loads(capsys.readouterr().out)["versions"]
    hops = version["hops"]
    assert [hop for hop in hops if not hop["is_there"]] == []
    assert {hop["hop"]: hop["where"] for hop in hops}["lake"]["rows"] == 1
    assert [hop["where"]["table"] for hop in hops if hop["hop"] == "mart"] == [
        f"MARTS.{name}" for name in MARTS if "orders" in PARTS[name]
    ]
    timed = ("PostgreSQL commit", "Debezium", "Kafka", "speed micro-batch", "ClickHouse", "lake", "RAW", "publication")
    assert [hop["hop"] for hop in hops if hop["at"] and hop["hop"] in timed] == [*timed]
    trace(Traced.ORDERS, str(order))
    assert f"orders {order}: ecommerce.public.orders-{version['partition']}" in capsys.readouterr().out


def test_an_event_and_a_dead_letter_are_traced_to_raw(run: Slice, stack: Settings, reader: ClickHouse):
    with Ledger(run.ledger) as ledger:
        event, places = min(ledger.expected_events()), ledger.expected_dead_letters()
    (stored,) = follow_event(stores(stack), event)
    assert [hop.name for hop in stored.hops if not hop.is_there] == []
    assert stored.hops[-2].where["table"] == "RAW.events"

    letters = reader.query(
        "select JSONExtractString(ifNull(original, ''), 'event_id') as id, _topic, _partition, _offset "
        "from dead_letters where length(id) = 36"
    )
    letter = min(id for id, *place in letters if tuple(place) in places)
    dead = follow_event(stores(stack), letter.lower())[-1]
    assert [hop.name for hop in dead.hops if not hop.is_there] == []
    found = {hop.name: hop.where for hop in dead.hops}
    assert (found["ClickHouse"]["table"], found["RAW"]["table"]) == ("dead_letters", "RAW.dead_letters")
    assert found["ClickHouse"]["reason"] == found["RAW"]["reason"]


def test_a_row_that_nobody_knows_is_told_so(run: Slice):
    with pytest.raises(typer.BadParameter, match="no store knows orders 999999998"):
        trace(Traced.ORDERS, "999999998")


def test_an_answer_is_made_of_both_layers_and_equals_the_source(
    run: Slice, stack: Settings, postgres: Postgres, reader: ClickHouse
):
    old = date(2020, 1, 2)
    place_order(postgres, old, "10.00")
    await_layers(stack, PATIENCE)
    run_batch(stack)
    place_order(postgres, old + timedelta(days=1), "5.50")
    await_layers(stack, PATIENCE)
    answer = daily_business_metrics(reader, bootstrap.reporter(stack), date(1970, 1, 1), date(2999, 12, 31))
    assert old in answer.from_batch
    assert old + timedelta(days=1) in answer.from_speed
    revenue = {row[0]: row[8] for row in answer.rows}
    orders = {row[0]: row[4] for row in answer.rows}
    source = postgres.query(
        "select created_at::date, count(*), coalesce(sum(total_amount) filter (where status <> 'cancelled'), 0) "
        "from orders group by 1"
    )
    assert orders == {day: count for day, count, _ in source}
    assert revenue == {day: amount for day, _, amount in source}


def place_order(postgres: Postgres, day: date, amount: str) -> int:
    """A guest's order on a day of its own."""
    [(number,)] = postgres.query(
        "insert into orders (status, total_amount, created_at, updated_at) values ('pending', %s, %s, %s) returning id",
        (
            amount,
            datetime(day.year, day.month, day.day, tzinfo=UTC),
            datetime(day.year, day.month, day.day, tzinfo=UTC),
        ),
    )
    return int(number)


@contextmanager
def planted(undo: str, plant: str, execute) -> Iterator[None]:
    execute(plant)
    try:
        yield
    finally:
        execute(undo)


def differences(report: Report) -> list[tuple[str, str, str, tuple[object, ...], str]]:
    return [(c.dataset, c.left, c.right, d.key, str(d.kind)) for c in report.comparisons for d in c.differences]


def test_rows_planted_in_the_warehouse_are_named_by_key(run: Slice, stack: Settings, snowflake: Snowflake):
    (altered,), (missing,) = snowflake.query("select id from STAGING.orders_enhanced order by id limit 2")
    snowflake.execute("create or replace table RAW.kept as select * from STAGING.orders_enhanced")
    try:
        snowflake.execute(
            "update STAGING.orders_enhanced set total_amount = total_amount + 0.01 where id = %s", (altered,)
        )
        snowflake.execute("delete from STAGING.orders_enhanced where id = %s", (missing,))
        snowflake.execute(
            "insert into STAGING.orders_enhanced select * replace (999999999 as id) from RAW.kept where id = %s",
            (altered,),
        )
        found = {
            (key, kind)
            for table, _, right, key, kind in differences(recon.between_layers(stack))
            if table == "orders" and "STAGING" in right
        }
    finally:
        snowflake.execute("delete from STAGING.orders_enhanced")
        snowflake.execute("insert into STAGING.orders_enhanced select * from RAW.kept")
        snowflake.execute("drop table RAW.kept")
    assert found == {((altered,), "altered"), ((missing,), "missing"), ((999999999,), "extra")}
    assert differences(recon.between_layers(stack)) == []


def test_sessions_altered_in_the_warehouse_are_named_by_key(run: Slice, stack: Settings, snowflake: Snowflake):
    snowflake.execute("update STAGING.sessions set events = events + 1")
    try:
        found = sessions_of(recon.between_layers(stack))
    finally:
        snowflake.execute("update STAGING.sessions set events = events - 1")
    assert found.left_rows == found.right_rows == len(found.differences) > 0
    assert {tuple(difference.values) for difference in found.differences} == {("events",)}


def test_rows_planted_in_the_speed_layer_are_named_by_key(run: Slice, stack: Settings):
    admin = bootstrap.clickhouse(stack, "admin")
    (altered,), (missing,) = admin.query("select id from users_realtime order by id limit 2")
    admin.command("create table users_kept engine = MergeTree order by id as select * from users_changes")
    try:
        admin.command(
            f"alter table users_changes update last_name = 'planted' where id = {altered} settings mutations_sync = 2"
        )
        admin.command(f"delete from users_changes where id = {missing}")
        admin.command(
            "insert into users_changes select * replace (999999999 as id, 1 as _offset) "
            f"from (select * from users_kept where id = {altered} limit 1)"
        )
        found = {(key, kind) for table, _, _, key, kind in differences(recon.between_layers(stack)) if table == "users"}
    finally:
        admin.command("truncate table users_changes")
        admin.command("insert into users_changes select * from users_kept")
        admin.command("drop table users_kept")
    assert found == {((altered,), "altered"), ((missing,), "extra"), ((999999999,), "missing")}
    assert eventually(lambda: differences(recon.between_layers(stack)) == [])


SPEED_CONTENTS = {
    "events": "event_id, occurred_at, _topic, _partition, _offset, _timestamp",
    "events_late": "event_id, occurred_at, _topic, _partition, _offset, _timestamp",
    "dead_letters": "reason, original, _topic, _partition, _offset",
    "sessions_current": "session_id, owner, user_id, started_at, ended_at, events",
    "orders_changes": "*",
    "users_realtime": "*",
    "order_items_realtime": "*",
    "orders_current final": "*",
}
BUILT_ON_INSERT = {
    "activity_minutes": "minute, event_type, device_type, sum(events)",
    "search_minutes": "minute, search_query, sum(searches), sum(without_result)",
    "funnel_minutes": "minute, sum(sessions), sum(viewed), sum(carted), sum(purchased), sum(cart_value)",
}


def speed_contents(reader: ClickHouse) -> dict[str, Counter[tuple[object, ...]]]:
    """What is at rest, but for tiers and prices of the day, which are those of the newest publication."""
    plain = {name: f"select {columns} from {name}" for name, columns in SPEED_CONTENTS.items()}
    summed = {name: f"select {columns} from {name} group by all" for name, columns in BUILT_ON_INSERT.items()}
    return {name: Counter(map(tuple, reader.query(sql))) for name, sql in (plain | summed).items()}


def is_unpublished(fault: str) -> bool:
    """It has come to the lake, and no batch has been since: the shop goes on, and erasing itself changes a row."""
    return "≠ rows in RAW" in fault


def faults(stack: Settings) -> list[str]:
    """What does not add up; of an order placed after the last batch, RAW has nothing yet."""
    return [fault for flow in hops.all_flows(stack) for fault in flow.faults]


def somebody(reader: ClickHouse) -> tuple[int, str, str]:
    """A customer with orders who was seen on a device: number, e-mail address, device."""
    [found] = reader.query(
        "select user_id, any(u.email), any(anonymous_id) from events as e inner join users_realtime as u on e.user_id = u.id "
        "where anonymous_id is not null and user_id in (select user_id from orders_realtime) "
        "group by user_id order by count() desc, user_id limit 1"
    )
    return found


def leave_traces(kafka: Kafka, user: int, email: str, device: str) -> None:
    """What people type and links carry: a search for oneself, and a record that breaks its contract."""
    own = {"user_id": user, "anonymous_id": device, "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    link = f"https://shop.example.com/?utm_medium=cpc&who={email}"
    search = event(EventType.SEARCH, 990_001, **own, search_query=f"orders of {email}", page_url=link)
    broken = event(EventType.PAGE_VIEW, 990_002, **own, e_mail=email)
    with_kafka = kafka.producer()
    for document in (search, broken):
        with_kafka.produce(EVENTS_TOPIC, key=device, value=to_bytes(document))
    with_kafka.flush(30)


def test_a_person_is_erased_from_every_store_and_both_layers_go_on_agreeing(
    run: Slice, stack: Settings, reader: ClickHouse, kafka: Kafka, tmp_path: Path
):
    user, email, device = somebody(reader)
    leave_traces(kafka, user, email, device)
    [(order,)] = reader.query("select min(id) from orders_realtime where user_id = {user:Int64}", {"user": user})
    invoice = tmp_path / "invoice.txt"
    invoice.write_text(f"To {email}: thank you.")
    concord("lake", "put", str(invoice), "--about", f"order:{order}")
    await_layers(stack, PATIENCE)
    letters = reader.query("select reason, pointer from dead_letters order by _partition, _offset")
    revenue = reader.query("select sum(total_amount) from orders_realtime where user_id = {user:Int64}", {"user": user})
    not_published_yet = faults(stack)

    done = concord("erase", "user", str(user), "--dry-run")["done"]
    assert {each["place"].split()[0] for each in done if each["count"]} >= STORES_WITH_PERSONS
    assert found_in(stack, user) >= WHERE_PERSONS_LIE
    told = concord("erase", "user", str(user), "--yes", "--prove")

    assert [each for each in told["found"] if each["hits"] and not each["until"]] == []
    assert {each["place"].split()[0] for each in told["found"]} >= STORES_WITH_PERSONS
    assert [fault for fault in faults(stack) if fault not in not_published_yet and not is_unpublished(fault)] == []
    assert differences(recon.between_layers(stack)) == []
    assert reader.query("select reason, pointer from dead_letters order by _partition, _offset") == letters
    assert (
        reader.query("select sum(total_amount) from orders_realtime where user_id = {user:Int64}", {"user": user})
        == revenue
    )
    [source] = bootstrap.postgres(stack).query("select email, first_name from users where id = %s", (user,))
    assert source == (f"erased-{user}@erased.invalid", "erased")
    assert concord("erase", "user", str(user), "--yes")["done"] == []
    trail = [entry for entry in concord("audit", "--limit", "100") if entry["what"] == f"erase user {user}"]
    assert max(entry["rows_out"] for entry in trail) > 0
    assert email not in json.dumps(trail)


def test_a_user_nobody_knows_is_told_so(run: Slice):
    refused = CliRunner().invoke(app, ["erase", "user", "999999999999", "--yes"])
    assert isinstance(refused.exception, Misconfigured)
    assert "there is no user 999999999999" in refused.exception.message


def found_in(stack: Settings, user: int) -> set[str]:
    """Where a proof finds somebody who is not erased; of the lake's objects the table."""
    with stores_of(stack).warehouse as warehouse:
        stores = replace(stores_of(stack), warehouse=warehouse)
        person = find(stores, Person(user, b"salt"))
        found = list(prove(stores, person, places_of(stack), datetime.now(UTC), silent))
    return {each.place.split(":")[0] for each in found if not each.is_settled}


STORES_WITH_PERSONS = {"PostgreSQL", "Kafka", "ClickHouse", "lake", "warehouse"}
WHERE_PERSONS_LIE = {
    *("PostgreSQL users", "PostgreSQL users, by words", "PostgreSQL orders"),
    *(f"Kafka {topic}" for topic in (cdc_topic(USERS), cdc_topic(ORDERS), EVENTS_TOPIC, DEAD_LETTER_TOPIC)),
    *(f"ClickHouse {table}" for table in ("orders_changes", "events", "owner_events", "sessions", "dead_letters")),
    *(f"ClickHouse {table}, by words" for table in ("users_changes", "events", "search_minutes", "dead_letters")),
    *(f"lake {table}" for table in ("users", "orders", "events", "events_landing")),
    *(f"lake ecommerce.{table}" for table in ("users", "users_changes", "events_landing")),
    *("documents", "lake documents", "lake ecommerce.documents"),
    *("warehouse raw.orders", "warehouse, sessions", "warehouse, events", "warehouse raw.users, by words"),
    *(
        "warehouse staging.users_enhanced",
        "warehouse marts.user_history",
        "warehouse marts.customer_analytics, by words",
    ),
}


def test_a_lost_checkpoint_is_made_good_from_the_lake(run: Slice, stack: Settings, reader: ClickHouse):
    await_layers(stack, PATIENCE)
    before = speed_contents(reader)
    not_published_yet = faults(stack)
    Supervisord(stack.home).stop("speed")
    shutil.rmtree(stack.home / "speed" / "checkpoints")

    replay(query=None, yes=True, size=700, accept_gaps=False)

    assert [fault for fault in faults(stack) if fault not in not_published_yet and not is_unpublished(fault)] == []
    place_order(bootstrap.postgres(stack), date(2020, 3, 3), "7.00")
    await_layers(stack, PATIENCE)
    assert differences(recon.between_layers(stack)) == []
    after = speed_contents(reader)
    grown = {name for name in before if before[name] != after[name]}
    assert grown == {"orders_changes", "orders_current final"}
    for name in grown:
        assert before[name] - after[name] == Counter(), name
        assert after[name].total() == before[name].total() + 1


def concord(*arguments: str) -> Any:
    """What a command answers, in this process."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exception is None, result.output
    return json.loads(result.stdout)


def test_jobs_and_reads_are_in_the_audit_trail_with_their_batch(run: Slice, stack: Settings, snowflake: Snowflake):
    newest = snowflake.publication()
    assert newest is not None
    statements = {
        "postgres": "select count(*) from users",
        "speed": "select count() from orders_realtime",
        "lake": "select count(*) from orders",
        "warehouse": "select count(*) from MARTS.customer_analytics",
    }
    for store, statement in statements.items():
        concord("sql", store, statement)
    answered = concord("query", "daily_business_metrics")["rows"]
    trail = concord("audit", "--limit", "1000")
    reads = {entry["store"]: entry for entry in reversed(trail) if entry["action"] == "read"}
    for store, statement in statements.items():
        assert (reads[store]["statement_sha256"], reads[store]["rows_out"]) == (digest(statement), 1)
    assert reads["warehouse"]["batch_id"] == reads["speed, warehouse"]["batch_id"] == newest.batch_id
    assert reads["speed, warehouse"]["rows_out"] == len(answered)
    assert reads["lake"]["read_at"] == {"orders": bootstrap.lake(stack).current_snapshot("orders")}
    loads = [entry for entry in trail if entry["what"] == "batch run: load orders"]
    assert max(entry["rows_out"] for entry in loads) > 0
    assert all(entry["rows_in"] >= entry["rows_out"] and entry["batch_id"] for entry in loads)


def test_each_warehouse_is_paid_for_and_stopping_sooner_saves(run: Slice):
    report = concord("cost", "report")
    assert {each["warehouse"] for each in report["warehouses"]} >= {"LOAD_WH", "COMPUTE_WH"}
    assert report["seconds_are_the_stand_ins"]
    paid = sum(Decimal(each["credits"]) for each in report["warehouses"])
    charged = sum(Decimal(each["credits"]) for each in report["statements"])
    assert abs(paid - charged) < Decimal("1e-9")
    assert paid > 0
    kept = {each["table"]: each for each in report["lake"]}
    assert {"orders", "orders_changes"} <= set(kept)
    assert all(0 < each["needed_bytes"] <= each["stored_bytes"] for each in kept.values())
    month = concord("cost", "whatif", "--suspend", "60", "--every", "1h")
    assert set(month["warehouses"]) >= {"LOAD_WH", "COMPUTE_WH"}
    assert Decimal(month["credits_saved"]) > 0


def test_every_statement_to_the_warehouse_is_granted_and_in_the_list(run: Slice, record: Record):
    assert lacking(record.all()) == {}
    assert_listed(record.since())
