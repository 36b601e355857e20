"""Kafka to ClickHouse, exactly once: the events query on the real engines, killed on the way."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from concord.contracts.events import EventType
from concord.contracts.names import MAX_MESSAGE_BYTES
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.provision import DEAD_LETTERS, EVENTS
from concord.rules.documents import MAX_RECORD_BYTES
from concord.settings import PROJECT, Settings, child_environment
from concord.speed.dead_letters import SIZE_HEADER
from concord.speed.failpoint import Step
from tests.factories import event, to_bytes
from tests.speed_database import speed_database
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

GOOD, LATE, COPIES, LATE_COPIES = 150, 9, 12, 3
KILLED_AT = (Step.BATCH_OPEN, Step.EVENTS_STORED, Step.DATA_STORED, Step.POSITION_STORED)
"""A start of Spark each; `concord chaos speed` kills at every step."""
BAD = (b"no json", b"", b"\xff\xfe", json.dumps(event(user_id=None, anonymous_id=None)).encode())


BATCH_BYTES = 74
"""What Kafka adds to a record of four million bytes that is alone in its batch."""
STILL_VALID = 3
"""Valid, though two are left to the judge and one is old."""
VIEWS = {
    "activity_minutes": ("sum(events)", "count()"),
    "product_minutes": ("sum(views + cart_adds + cart_removes)", "countIf(product_id is not null)"),
    "search_minutes": ("sum(searches)", "countIf(event_type = 'SEARCH')"),
    "active_by_day": ("sum(users)", "uniqExact(user_id)"),
    "owner_events": ("count()", "count()"),
    "recent_ids": ("count()", "count() + (select count() from events_late)"),
}
"""Table built while events are stored, a figure of it, and the same recounted from the events."""


@dataclass(frozen=True)
class Scene:
    """A topic with known records, an empty database, and a driver to run over both."""

    store: ClickHouse
    kafka: Kafka
    topic: str
    folder: Path
    now: datetime

    def made(self, event_type: EventType, seed: int, ago: timedelta = timedelta(), **named: Any) -> bytes:
        """An event that happened so long before the scene began: lateness must not depend on the other tests."""
        at = (self.now - ago).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return to_bytes(event(event_type, seed, occurred_at=at, **named))

    @contextmanager
    def running(self, failpoint: str = "", records: int = 40) -> Iterator[subprocess.Popen[bytes]]:
        """The driver, which reads on while the body runs, and then to its end, so many records at once."""
        module = ("-m", "tests.integration.speed_driver")
        arguments = (self.store.database, self.topic, str(self.folder), failpoint, str(records))
        with subprocess.Popen(
            [sys.executable, *module, *arguments], cwd=PROJECT, env=child_environment(), stdin=subprocess.PIPE
        ) as driver:
            try:
                yield driver
                driver.communicate(timeout=600)
            finally:
                driver.kill()

    def drive(self, failpoint: str = "", records: int = 40) -> int:
        """Run the driver to its end; its exit code, negative for a signal."""
        with self.running(failpoint, records) as driver:
            pass
        return driver.returncode

    def one(self, sql: str) -> tuple[object, ...]:
        return self.store.query(sql)[0]


@contextmanager
def new_scene(settings: Settings, kafka: Kafka, folder: Path) -> Iterator[Scene]:
    topic = f"test.speed.{uuid.uuid4().hex}"
    create(kafka, topic)
    with speed_database(settings) as store:
        made = Scene(store, kafka, topic, folder, datetime.now(UTC))
        send(made)
        yield made


def create(kafka: Kafka, topic: str) -> None:
    kafka.create_topics({topic: EVENTS, f"dlq.{topic}": DEAD_LETTERS}, partitions=4)


def send(scene: Scene) -> None:
    good = [scene.made(list(EventType)[seed % 9], seed) for seed in range(1, GOOD + 1)]
    late = [scene.made(EventType.PAGE_VIEW, 600 + seed, ago=timedelta(minutes=31 + 60 * seed)) for seed in range(LATE)]
    records = [*good, *BAD, *still_valid(scene), *late, *good[:COPIES], *late[:LATE_COPIES], None]
    produce(scene.kafka, scene.topic, [(number * 7 % 4, record) for number, record in enumerate(records)])


def still_valid(scene: Scene) -> list[bytes]:
    return [
        scene.made(EventType.SEARCH, 501, search_query="🎁").replace("🎁".encode(), rb"\ud83c\udf81"),
        scene.made(EventType.PAGE_VIEW, 502, properties={"a": {"b": {"c": {"d": 1}}}}),
        scene.made(EventType.PAGE_VIEW, 503, ago=timedelta(minutes=25)),
    ]


def produce(kafka: Kafka, topic: str, records: Sequence[tuple[int, bytes | None]]) -> None:
    producer = kafka.producer()
    for partition, record in records:
        producer.produce(topic, value=record, partition=partition)
    assert producer.flush(30) == 0


def assert_exactly_once(scene: Scene) -> None:
    valid, bad, copies = GOOD + STILL_VALID, len(BAD) + 1, COPIES + LATE_COPIES
    assert scene.one("select count(), uniqExact(event_id), uniqExact(_partition, _offset) from events") == (valid,) * 3
    assert scene.one("select count(), uniqExact(event_id) from events_late") == (LATE, LATE)
    assert scene.one("select count(), uniqExact(_partition, _offset) from dead_letters") == (bad, bad)
    read = valid + bad + copies + LATE
    sums = "select sum(records_in), sum(stored), sum(dead), sum(duplicate), sum(late) from speed_position"
    assert scene.one(sums) == (read, valid, bad, copies, LATE)
    assert scene.store.position() == scene.kafka.end_position([scene.topic])
    assert_views_are_a_recount(scene)


def assert_views_are_a_recount(scene: Scene) -> None:
    """Trap K10: a view's target must drop a repeated insert as the table of events does."""
    for table, (figure, recount) in VIEWS.items():
        assert scene.one(f"select {figure} from {table}") == scene.one(f"select {recount} from events"), table


def test_events_dead_letters_and_copies_are_told_apart_and_counted(driven: Scene) -> None:
    scene = driven
    assert_exactly_once(scene)
    # Text is bytes to ClickHouse, so what is no UTF-8 is compared as hexadecimal digits.
    letters = scene.store.query("select hex(assumeNotNull(original)) from dead_letters where original is not null")
    assert Counter(bytes.fromhex(text) for (text,) in letters) == Counter(BAD)
    published = list(scene.kafka.read(f"dlq.{scene.topic}"))
    assert Counter(record.value for record in published) == Counter([*BAD, None])
    headers = dict(published[0].headers)
    place = "/".join(
        (headers[name] or b"").decode() for name in ("concord.topic", "concord.partition", "concord.offset")
    )
    assert published[0].key == place.encode()


def test_a_micro_batch_inserts_once_into_each_table(driven: Scene) -> None:
    """Told apart by the batch that is in each insert's token; the scene was driven once, and nothing died."""
    driven.store.command("system flush logs")
    inserts = Counter(
        driven.store.query(
            "select splitByChar('|', Settings['insert_deduplication_token'])[3] as batch, "
            "extract(query, '(?i)^insert into `?(\\w+)') from system.query_log "
            "where type = 'QueryFinish' and query_kind = 'Insert' and written_rows > 0 "
            "and current_database = currentDatabase()"
        )
    )

    assert max(inserts.values()) == 1, inserts
    assert "" not in {batch for batch, _ in inserts}
    tables = Counter(table for _, table in inserts)
    assert driven.one("select uniqExact(batch_id) from speed_position") == (tables["speed_position"],)
    assert {"events", "events_late", "dead_letters", "sessions", "funnel_minutes"} <= tables.keys()
    assert tables["events"] > 1


def an_hour_passes(store: ClickHouse) -> None:
    """For what is remembered of ids, which loses what is too old when it is merged."""
    store.command("create table an_hour_ago as recent_ids")
    store.command(
        "insert into an_hour_ago select * replace (_timestamp - interval 61 minute as _timestamp) from recent_ids"
    )
    store.command("truncate table recent_ids")
    store.command("insert into recent_ids select * from an_hour_ago")
    store.command("optimize table recent_ids final")
    store.command("drop table an_hour_ago")


def test_a_copy_is_one_after_an_hour_and_a_restart_on_another_partition_and_with_another_time(driven: Scene) -> None:
    scene = driven
    an_hour_passes(scene.store)
    again = scene.made(EventType.PAGE_VIEW, 503, ago=timedelta(minutes=25))
    at_another_time = scene.made(EventType.PAGE_VIEW, 503, ago=timedelta(minutes=3))
    late_again = scene.made(EventType.PAGE_VIEW, 600 + LATE - 1, ago=timedelta(minutes=31 + 60 * (LATE - 1)))
    produce(
        scene.kafka, scene.topic, [(p, record) for p in range(4) for record in (again, at_another_time, late_again)]
    )

    assert scene.drive() == 0

    assert scene.one("select count(), (select count() from events_late) from events") == (GOOD + STILL_VALID, LATE)
    assert scene.one("select sum(duplicate) from speed_position") == (COPIES + LATE_COPIES + 12,)


def test_a_lost_checkpoint_is_refused_instead_of_storing_everything_twice(driven: Scene) -> None:
    elsewhere = replace(driven, folder=driven.folder / "elsewhere")

    assert elsewhere.drive() > 0
    assert driven.one("select count(), (select count() from events_late) from events") == (GOOD + STILL_VALID, LATE)


def test_a_late_copy_of_an_event_whose_id_is_forgotten_is_still_a_copy(driven: Scene) -> None:
    """What is remembered of ids ends after two days; the events themselves are older."""
    scene = driven
    scene.store.command("truncate table recent_ids")
    late = scene.made(EventType.PAGE_VIEW, 601, ago=timedelta(minutes=91))
    produce(scene.kafka, scene.topic, [(0, late)])

    assert scene.drive() == 0

    assert scene.one("select count() from events_late") == (LATE,)


def publish_tiers(store: ClickHouse, publication: int, tier: str) -> None:
    mark = f"{publication}, 'batch {publication}', 1, 1, now64(3)"
    store.command(f"insert into user_tiers values ({publication}, 42, '{tier}')")
    store.command(f"insert into catalogue values ({publication}, 42, 'gifts', 9.5)")
    store.command(f"insert into enrichments values ({mark})")


def test_a_changed_tier_is_applied_from_the_next_batch_on_and_a_repeated_batch_keeps_its_own(driven: Scene) -> None:
    scene = driven

    def view(seed: int) -> str:
        """Sent now; its id."""
        left_out = {"user_id": 42, "product_id": 42, "category": None, "price": None}
        record = scene.made(EventType.PRODUCT_VIEW, seed, **left_out)
        produce(scene.kafka, scene.topic, [(seed % 4, record)])
        return str(json.loads(record)["event_id"])

    def applied(event_id: str) -> list[tuple[Any, ...]]:
        added = "select customer_tier, product_category, product_price from events where event_id = {id:UUID}"
        return scene.store.query(added, {"id": event_id})

    def gift_for(tier: str) -> list[tuple[Any, ...]]:
        return [(tier, "gifts", Decimal("9.50"))]

    publish_tiers(scene.store, 1, "gold")
    repeated = view(801)
    assert scene.drive(failpoint=Step.DATA_STORED) == -signal.SIGKILL
    publish_tiers(scene.store, 2, "platinum")
    after_it = view(802)
    with scene.running() as driver:
        assert eventually(lambda: applied(after_it)) == gift_for("platinum")
        publish_tiers(scene.store, 3, "silver")
        without_restart = view(803)
        assert eventually(lambda: applied(without_restart)) == gift_for("silver")
    assert driver.returncode == 0

    assert applied(repeated) == gift_for("gold")
    assert applied(after_it) == gift_for("platinum")
    assert scene.one("select count() from events where user_id is null and customer_tier is not null") == (0,)


def is_taken(kafka: Kafka, topic: str, value: bytes, compression: str = "none", **named: Any) -> bool:
    """Whether the broker takes the record."""
    taken: list[bool] = []
    producer = kafka.producer(compression_type=compression, message_max_bytes=64 << 20)
    producer.produce(topic, value=value, partition=0, on_delivery=lambda error, _: taken.append(error is None), **named)
    assert producer.flush(30) == 0
    return taken == [True]


def test_records_of_any_size_and_copies_in_one_micro_batch_do_not_stop_the_stream(driven: Scene) -> None:
    scene, kafka, topic = driven, driven.kafka, driven.topic
    before = kafka.end_position([topic, f"dlq.{topic}"])
    noise = random.Random(1)
    largest, inflated = noise.randbytes(MAX_MESSAGE_BYTES - BATCH_BYTES), b"x" * (17 << 20)
    doubtful = [*(noise.randbytes(MAX_RECORD_BYTES) for _ in range(200)), *[b"[" * MAX_RECORD_BYTES] * 1_000]

    assert not is_taken(kafka, topic, largest + b"x")
    assert is_taken(kafka, topic, largest)
    assert is_taken(kafka, topic, inflated, "lz4")
    produce(kafka, topic, [(number % 4, record) for number, record in enumerate(doubtful)])
    headers = [("huge", noise.randbytes(1 << 20)), *(("", b"") for _ in range(10_000))]
    events = [scene.made(EventType.LOGIN, seed) for seed in (901, 902)]
    assert all(
        is_taken(kafka, topic, each, "lz4", headers=own) for each, own in zip(events, (headers, []), strict=True)
    )
    produce(kafka, topic, [(1, events[0]), (1, events[0]), (2, events[1])])

    assert scene.drive(records=2_000) == 0

    sent = {(each.partition, each.offset): each.value for each in kafka.read(topic, after=before)}
    bad = {place: value for place, value in sent.items() if value not in events}
    assert sorted(map(digest, bad.values())) == sorted(map(digest, [largest, inflated, *doubtful]))
    letters = scene.store.query(
        "select _partition, _offset, lower(hex(SHA256(assumeNotNull(original)))) from dead_letters where original is not null"
    )
    at_rest = {(partition, offset): found for partition, offset, found in letters if (partition, offset) in sent}
    assert at_rest == {place: digest(value) for place, value in bad.items()}
    copies = {each.key: each for each in kafka.read(f"dlq.{topic}", after=before)}
    assert {key: copy.value for key, copy in copies.items()} == {
        f"{topic}/{partition}/{offset}".encode(): (value or b"")[:MAX_MESSAGE_BYTES]
        for (partition, offset), value in bad.items()
    }
    cut_off = [dict(copy.headers)[SIZE_HEADER] for copy in copies.values() if SIZE_HEADER in dict(copy.headers)]
    assert cut_off == [str(len(inflated)).encode()]
    assert scene.one(f"select count() from events where event_id in {ids(events)}") == (2,)
    in_one_batch = "from speed_position where batch_id = (select max(batch_id) from speed_position)"
    assert scene.one(f"select sum(stored), sum(duplicate), sum(dead) {in_one_batch}") == (2, 3, len(bad))
    assert scene.store.position().covers(kafka.end_position([topic]))


def digest(value: bytes | None) -> str:
    return hashlib.sha256(value or b"").hexdigest()


def ids(events: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(json.loads(each)["event_id"] for each in events)


def test_kill_9_between_any_two_steps_changes_nothing(scene: Scene) -> None:
    for step in KILLED_AT:
        assert scene.drive(failpoint=step) == -signal.SIGKILL
    assert scene.drive() == 0

    assert_exactly_once(scene)
    expected = {(record.partition, record.offset) for record in scene.kafka.read(scene.topic)}
    kept = scene.store.query(
        "select _partition, _offset from events union all select _partition, _offset from events_late "
        "union all select _partition, _offset from dead_letters"
    )
    assert set(kept) <= expected
    assert len(expected) - len(kept) == COPIES + LATE_COPIES
