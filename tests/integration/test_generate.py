"""The synthetic shop against the running PostgreSQL and Kafka."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from concord import bootstrap
from concord.contracts.names import TOPIC_PARTITIONS
from concord.errors import Misconfigured
from concord.gateways.kafka import Kafka
from concord.gateways.postgres import Postgres
from concord.ingest.generate import Plan, Shares, generate_shop
from concord.ingest.ledger import EventClass, Ledger
from concord.rules.quality import Accepted, judge
from concord.settings import Settings
from tests.shop_database import own_shop

pytestmark = pytest.mark.integration

TOPIC = "test.generate.events"
SHARES = Shares(invalid=0.05, duplicate=0.05, late=0.05, out_of_order=0.05, future=0.05)


@pytest.fixture
def shop(settings: Settings) -> Iterator[Postgres]:
    with own_shop(settings) as postgres:
        yield postgres


@pytest.fixture
def kafka(settings: Settings) -> Kafka:
    kafka = bootstrap.kafka(settings)
    kafka.create_topics({TOPIC: {"message.timestamp.type": "LogAppendTime"}}, TOPIC_PARTITIONS)
    return kafka


def plan(seconds: float, **named: float) -> Plan:
    start = datetime.now(UTC) - timedelta(seconds=seconds)
    return Plan(f"test-{uuid4().hex[:8]}", 1, start, seconds, shares=SHARES, **named)  # type: ignore[arg-type]


def test_everything_in_kafka_is_what_the_ledger_says(shop: Postgres, kafka: Kafka, tmp_path: Path) -> None:
    before = kafka.end_position([TOPIC])
    with Ledger(tmp_path / "run.sqlite") as ledger:
        report = generate_shop(
            shop, kafka, plan(10, events_per_second=200, changes_per_second=20), ledger, is_paced=False, topic=TOPIC
        )
        stored, dead, copies = set[str](), set[tuple[str, int, int]](), 0
        for record in kafka.read(TOPIC, after=before):
            verdict = judge(record.value, record.timestamp)
            if not isinstance(verdict, Accepted):
                dead.add((record.topic, record.partition, record.offset))
                continue
            copies += verdict.document["event_id"] in stored
            stored.add(verdict.document["event_id"])
        assert report.events.total() == 2_000
        assert stored == ledger.expected_events()
        assert dead == ledger.expected_dead_letters()
        assert copies == ledger.totals()[EventClass.DUPLICATE].acknowledged > 0


def test_purchases_name_orders_that_are_there(shop: Postgres, kafka: Kafka, tmp_path: Path) -> None:
    before = kafka.end_position([TOPIC])
    with Ledger(tmp_path / "run.sqlite") as ledger:
        generate_shop(
            shop, kafka, plan(10, events_per_second=200, changes_per_second=20), ledger, is_paced=False, topic=TOPIC
        )
    verdicts = [judge(record.value, record.timestamp) for record in kafka.read(TOPIC, after=before)]
    events = [verdict.document for verdict in verdicts if isinstance(verdict, Accepted)]
    bought = {(event["order_id"], event["total_amount"]) for event in events if event["event_type"] == "PURCHASE"}
    [(last,)] = shop.query("select max(id) from orders")
    present = {(id_, f"{total:.2f}") for id_, total in shop.query("select id, total_amount from orders")}
    deleted = {pair for pair in bought if pair not in present}
    assert bought
    assert all(order <= last for order, _ in bought)
    assert len(deleted) <= 5


def test_every_total_is_the_sum_of_its_lines_after_updates_and_deletes(
    shop: Postgres, kafka: Kafka, tmp_path: Path
) -> None:
    with Ledger(tmp_path / "run.sqlite") as ledger:
        report = generate_shop(
            shop, kafka, plan(10, events_per_second=0, changes_per_second=100), ledger, is_paced=False, topic=TOPIC
        )
    assert report.changes.total() - report.changes["opening"] == 1_000
    assert shop.query(
        "select count(*) from orders o where total_amount is distinct from "
        "(select sum(quantity * unit_price) from order_items where order_id = o.id)"
    ) == [(0,)]
    placed, deleted = report.changes["place_order"], report.changes["delete_order"]
    assert shop.query("select count(*) from orders") == [(placed - deleted,)]
    assert shop.query("select count(*) > 0 from products where pg_column_size(description) > 2000") == [(True,)]


def test_two_runs_in_one_shop_do_not_get_in_each_others_way(shop: Postgres, kafka: Kafka, tmp_path: Path) -> None:
    reports = []
    for number in range(2):
        with Ledger(tmp_path / f"{number}.sqlite") as ledger:
            run = plan(2, events_per_second=50, changes_per_second=20)
            reports.append(generate_shop(shop, kafka, run, ledger, is_paced=False, topic=TOPIC))
    assert shop.query("select count(*) from products") == [(400 + sum(r.changes["new_product"] for r in reports),)]


def test_a_paced_run_takes_as_long_as_it_says(shop: Postgres, kafka: Kafka, tmp_path: Path) -> None:
    started = datetime.now(UTC)
    with Ledger(tmp_path / "run.sqlite") as ledger:
        generate_shop(shop, kafka, plan(2, events_per_second=20, changes_per_second=5), ledger, topic=TOPIC)
    assert datetime.now(UTC) - started >= timedelta(seconds=1.9)


def test_a_topic_that_is_missing_is_named_before_anything_is_written(
    shop: Postgres, kafka: Kafka, tmp_path: Path
) -> None:
    with Ledger(tmp_path / "run.sqlite") as ledger, pytest.raises(Misconfigured, match=r"no\.such\.topic"):
        generate_shop(shop, kafka, plan(1), ledger, topic="no.such.topic")
    assert shop.query("select count(*) from users") == [(0,)]
