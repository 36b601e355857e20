"""A row is found wherever it is, and a store that does not hold it says so."""

import json
from datetime import timedelta
from typing import Any

import pytest

from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.position import Position, Publication
from concord.contracts.tables import ORDERS
from concord.gateways.kafka import Record
from concord.gateways.lake.locate import Located
from concord.trace.follow import follow_event, follow_row
from concord.trace.hops import Hop, Journey, Place
from tests.factories import change_record, to_bytes
from tests.traced_stores import NOON, Answers, Lake, Log, stores

TOPIC = cdc_topic(ORDERS)
KEY = 4711
EVENT = "0b8f4a56-8f5e-4e0a-9d5e-3f1c2b1a0d9e"
CHANGE = (1, 12, NOON, "u", 0x1_0000_00FF, NOON - timedelta(seconds=2), NOON - timedelta(seconds=1))
HELD = Position.of([(TOPIC, 1, 20), (EVENTS_TOPIC, 1, 20)])
PUBLISHED = Publication("000001-x", HELD, NOON, NOON + timedelta(minutes=5))
FILE = Located("s3://lake/a.parquet", 1, 77, NOON + timedelta(seconds=5), "append")

SPEED = Answers(
    {
        "from orders_changes where id": [CHANGE],
        "speed_position": [(3, NOON + timedelta(seconds=4))],
        "count() from orders_changes": [(1,)],
        "orders_realtime": [(12,)],
    },
    HELD,
)
WAREHOUSE = Answers(
    {
        "from RAW.orders where _topic": [{"batch_id": "000001-x", "loaded_at": NOON, "file_name": FILE.file}],
        "RAW.publications": [("000001-x", json.dumps(HELD.as_json()), NOON, PUBLISHED.published_at)],
        "from STAGING.orders_enhanced where id = %s": [(NOON,)],
        "max(_offset) from RAW.orders": [(12,)],
        "MARTS.daily_business_metrics": [("2026-03-01",)],
    },
    published=PUBLISHED,
)
LAKE = Lake(
    {"orders": [{"_offset": 12}]},
    {"orders_changes": [FILE], "orders": [Located("s3://lake/m.parquet", 1, 78, NOON, "overwrite")]},
    HELD,
)


def record(offset: int, key: int, op: str = "u") -> Record:
    value = change_record(ORDERS, op, id=key)
    return Record(TOPIC, 1, offset, NOON, json.dumps({"id": key}).encode(), json.dumps(value).encode())


def hops(journey: Journey) -> dict[str, Hop]:
    """By name; of the marts the first that is there."""
    return {hop.name: hop for hop in sorted(journey.hops, key=lambda hop: hop.is_there)}


def missing(journey: Journey) -> set[str]:
    return {name for name, hop in hops(journey).items() if not hop.is_there}


def test_a_row_that_has_come_all_the_way_is_told_hop_by_hop() -> None:
    held = stores(Answers({"from orders": [(1,)]}), Log(), SPEED, LAKE, WAREHOUSE)
    (journey,) = follow_row(held, ORDERS, KEY, newest=1)
    found = hops(journey)
    assert missing(journey) == set()
    assert found["PostgreSQL commit"].where == {"op": "u", "lsn": "1/FF"}
    assert found["Kafka"].where == {"topic": TOPIC, "partition": 1, "offset": 12}
    assert found["speed micro-batch"].where["batch_id"] == 3
    assert found["ClickHouse"].where == {"table": "orders_changes", "rows": 1}
    assert (found["lake"].where["file"], found["lake"].where["snapshot"]) == (FILE.file, 77)
    assert found["lake mirror"].where["offset"] == 12
    assert found["RAW"].where["batch_id"] == found["publication"].where["batch_id"] == "000001-x"
    assert found["STAGING"].where["table"] == "STAGING.orders_enhanced"
    assert found["mart"].where == {"table": "MARTS.daily_business_metrics", "rows": 1, "key": "2026-03-01"}
    assert [journey.seconds(found[name]) for name in ("Debezium", "Kafka", "ClickHouse", "lake")] == [1, 1, 0, 5]


def test_a_change_that_only_kafka_holds_is_nowhere_else_and_every_hop_says_why() -> None:
    held = stores(Answers({"from orders": [(1,)]}), Log([record(3, KEY), record(4, KEY + 1)]))
    (journey,) = follow_row(held, ORDERS, KEY, newest=5)
    assert journey.version is not None
    assert (journey.version.place, journey.version.op) == (Place(1, 3, TOPIC), "u")
    assert missing(journey) == {
        "speed micro-batch",
        "ClickHouse",
        "ClickHouse state",
        "lake",
        "lake mirror",
        "RAW",
        "publication",
        "STAGING",
    }
    assert [hop.name for hop in journey.hops if not hop.is_there and not hop.note] == []


def landed(record: Record) -> dict[str, Any]:
    """As the record's sink has it."""
    place = {"_kafka_partition": record.partition, "_offset": record.offset, "_timestamp": record.timestamp}
    return {"value": record.value, **place}


def test_a_change_that_only_the_lake_holds_is_found_among_the_records_that_landed() -> None:
    other = record(14, KEY + 1)
    mentions = Record(TOPIC, 1, 13, NOON, other.key, to_bytes(change_record(ORDERS, id=1, user_id=KEY)))
    rows = [landed(each) for each in (record(12, KEY), mentions, other)]
    (journey,) = follow_row(stores(lake=Lake({"orders_changes": [*rows, {**rows[0], "value": b"{"}]})), ORDERS, KEY, 9)
    assert journey.version is not None
    assert (journey.version.place, journey.version.op, journey.version.received_at) == (Place(1, 12, TOPIC), "u", NOON)


def test_what_a_layer_holds_is_not_looked_for_in_kafka() -> None:
    held = stores(kafka=Log([record(12, KEY)]), speed=Answers(held=HELD))
    assert follow_row(held, ORDERS, KEY, newest=1) == []


def test_the_newest_versions_come_last() -> None:
    held = stores(kafka=Log([record(offset, KEY) for offset in (3, 5, 8)]))
    offsets = [journey.document()["offset"] for journey in follow_row(held, ORDERS, KEY, newest=2)]
    assert offsets == [5, 8]


def test_a_row_that_was_not_captured_is_in_postgresql_and_not_in_kafka() -> None:
    (journey,) = follow_row(stores(Answers({"from orders": [(1,)]})), ORDERS, KEY, newest=1)
    assert journey.version is None
    assert [(hop.name, hop.is_there) for hop in journey.hops] == [("PostgreSQL row", True), ("Kafka", False)]


def test_a_row_that_nobody_knows_has_no_journey() -> None:
    assert follow_row(stores(), ORDERS, KEY, newest=1) == []
    assert follow_event(stores(), EVENT) == []


def test_an_older_version_says_which_one_is_shown_in_its_place() -> None:
    later = {"orders_realtime": [(15,)], "max(_offset) from RAW.orders": [(15,)]}
    held = stores(
        speed=Answers({**SPEED.known, **later}, HELD),
        lake=Lake({"orders": [{"_offset": 15}]}, LAKE.files, HELD),
        warehouse=Answers({**WAREHOUSE.known, **later}, published=PUBLISHED),
    )
    found = hops(follow_row(held, ORDERS, KEY, newest=1)[0])
    assert [found[name].note for name in ("ClickHouse state", "lake mirror", "STAGING")] == [
        "shows the change at offset 15",
        "holds the change at offset 15",
        "shows the change at offset 15",
    ]
    assert found["PostgreSQL row"].note == "deleted since"


def test_a_record_that_retention_has_taken_is_told_to_be_gone() -> None:
    held = stores(kafka=Log(first=13), speed=SPEED)
    kafka = hops(follow_row(held, ORDERS, KEY, newest=1)[0])["Kafka"]
    assert (kafka.is_there, kafka.note) == (False, "no longer kept: the partition begins at 13")


def test_a_file_whose_snapshot_has_expired_has_no_time() -> None:
    expired = Located(FILE.file, 1, 77, None, "")
    lake = Lake(files={"orders_changes": [expired]})
    found = hops(follow_row(stores(speed=SPEED, lake=lake), ORDERS, KEY, newest=1)[0])["lake"]
    assert (found.is_there, found.at, found.where["snapshot"]) == (True, None, 77)


def event_stores(speed: dict[str, Any], files: dict[str, list[Located]], raw: dict[str, Any]) -> list[Journey]:
    batch = {"speed_position": [(3, NOON)]}
    held = stores(
        speed=Answers({**speed, **batch}, HELD), lake=Lake(files=files, held=HELD), warehouse=Answers(raw, HELD)
    )
    return follow_event(held, EVENT)


@pytest.mark.parametrize("table", ["events", "events_late"])
def test_an_event_is_followed_from_the_landing_to_raw(table: str) -> None:
    speed = {f"from {table} where event_id": [(1, 12, NOON)], f"count() from {table} ": [(1,)]}
    raw = {"from RAW.events ": [{"batch_id": "b", "loaded_at": NOON, "file_name": FILE.file}]}
    (journey,) = event_stores(speed, {"events_landing": [FILE], "events": [FILE]}, raw)
    found = hops(journey)
    assert found["ClickHouse"].where["table"] == table
    assert [found[name].where["table"] for name in ("lake", "batch verdict", "RAW")] == [
        "events_landing",
        "events",
        "RAW.events",
    ]
    assert missing(journey) == {"publication"}


def test_a_dead_letter_is_found_by_its_bytes_and_is_one_in_both_layers() -> None:
    speed = {"positionCaseInsensitive": [(1, 12, NOON)], "select reason": [("not_json",)]}
    raw = {"RAW.dead_letters": [{"batch_id": "b", "loaded_at": NOON, "file_name": FILE.file, "reason": "not_json"}]}
    (journey,) = event_stores(speed, {"events_landing": [FILE], "dead_letters": [FILE]}, raw)
    found = hops(journey)
    assert found["ClickHouse"].where == {"table": "dead_letters", "rows": 1, "reason": "not_json"}
    assert found["batch verdict"].where["table"] == "dead_letters"
    assert found["RAW"].where["table"] == "RAW.dead_letters"
    assert found["RAW"].where["reason"] == "not_json"


def test_an_event_that_nobody_has_read_is_found_in_kafka_by_its_bytes() -> None:
    sent = Record(EVENTS_TOPIC, 2, 5, NOON, None, f'{{"event_id": "{EVENT.upper()}"}}'.encode())
    (journey,) = follow_event(stores(kafka=Log([sent])), EVENT)
    assert journey.version is not None
    assert journey.version.place == Place(2, 5, EVENTS_TOPIC)
    assert missing(journey) == {"speed micro-batch", "ClickHouse", "lake", "batch verdict", "RAW", "publication"}
