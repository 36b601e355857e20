"""ClickHouse's own Kafka engine: the same topic into the same tables and views, no Spark.

At least once; without deduplication, dead letters, tiers, lateness or sessions. Broken records are skipped.
"""

import time
from typing import Any

from concord import bootstrap
from concord.bench.accounting import Accounts
from concord.bench.own_stack import pids
from concord.bench.ranges import Since
from concord.contracts.behaviour import ENRICHED_EVENTS
from concord.contracts.events import EVENTS
from concord.contracts.names import SPEED_DATABASE
from concord.contracts.tables import POSITION_COLUMNS
from concord.contracts.types import BigInt, Integer
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse, statements
from concord.provision import ENGINES
from concord.settings import Settings

DATABASE = "peer"
FILES = ("10_events.sql", "30_recent_ids.sql", "31_owner_events.sql", "32_activity.sql")
"""The table of events and every view that hangs on it, as the speed layer has them."""
CONSUMERS = 2
POLL_SECONDS = 0.25
IDLE_SECONDS = 5.0
PATIENCE_SECONDS = 600.0
NEVER_NULL = ("event_id", "event_type", "schema_version", "occurred_at")
FIELDS = tuple(column for column in EVENTS.columns if column not in POSITION_COLUMNS)


def drained(settings: Settings, since: Since) -> dict[str, Any]:
    """Drain the topic; rows a second and CPU per record, of ClickHouse and of the broker."""
    store = bootstrap.clickhouse(settings, "admin")
    records = since.held(bootstrap.kafka(settings).end_position([since.topic]))
    _lay_out(store, settings.kafka.bootstrap, since.topic)
    running = pids(settings)
    accounts = Accounts.of({name: running[name] for name in ("kafka", "clickhouse")})
    accounts.begin()
    started = time.monotonic()
    store.command(_pump())
    try:
        rows, seconds = _wait_until_quiet(store, started)
        cpu = accounts.seconds()
        accounts.weigh()
    finally:
        store.command(f"drop table if exists {DATABASE}.pump")
        store.command(f"drop table if exists {DATABASE}.queue sync")
    return {
        "guarantee": "at least once",
        "lacks": "deduplication, dead letters, tiers, lateness, sessions, funnels",
        "records": records,
        "rows": rows,
        "seconds": seconds,
        "records_per_second": records / seconds,
        "cpu_us_per_event": sum(cpu.values()) / records * 1e6,
        "cpu_us_per_event_by_engine": {name: used / records * 1e6 for name, used in cpu.items()},
        "memory_peak_bytes": accounts.peak_bytes,
    }


def _lay_out(store: ClickHouse, brokers: str, topic: str) -> None:
    store.command(f"drop database if exists {DATABASE} sync")
    store.command(f"create database {DATABASE}")
    for file in FILES:
        for statement in statements((ENGINES / "clickhouse" / file).read_text()):
            if "events_late" not in statement:
                store.command(statement.replace(f"{SPEED_DATABASE}.", f"{DATABASE}."))
    store.command(_queue(brokers, topic))


def _queue(brokers: str, topic: str) -> str:
    """Numbers as numbers, everything else as text: what Concord checks is taken as it comes."""
    columns = ", ".join(f"{column.name} {_type(column.type)}" for column in FIELDS)
    return (
        f"create table {DATABASE}.queue ({columns}) engine = Kafka settings kafka_broker_list = '{brokers}', "
        f"kafka_topic_list = '{topic}', kafka_group_name = 'peer.{time.time_ns()}', kafka_format = 'JSONEachRow', "
        f"kafka_num_consumers = {CONSUMERS}, kafka_thread_per_consumer = 1, kafka_flush_interval_ms = 1000, "
        f"kafka_max_block_size = 262144, kafka_handle_error_mode = 'stream', "
        f"input_format_skip_unknown_fields = 1, input_format_json_read_objects_as_strings = 1"
    )


def _type(logical: object) -> str:
    return "Nullable(Int64)" if isinstance(logical, BigInt | Integer) else "Nullable(String)"


def _pump() -> str:
    """From the queue into the table, with the casts of its types; a record that has no identity or time is dropped."""
    casts = {
        "event_id": "toUUIDOrZero(assumeNotNull(queue.event_id))",
        "occurred_at": "parseDateTime64BestEffortOrZero(assumeNotNull(queue.occurred_at), 3, 'UTC')",
        "received_at": "parseDateTime64BestEffortOrNull(queue.received_at, 3, 'UTC')",
        "_topic": "_topic",
        "_partition": "toInt32(_partition)",
        "_offset": "toInt64(_offset)",
        "_timestamp": "assumeNotNull(_timestamp_ms)",
        "customer_tier": "cast(null, 'Nullable(String)')",
        "product_category": "queue.category",
        "product_price": "toDecimal64OrNull(queue.price, 2)",
        **{name: f"toDecimal64OrNull(queue.{name}, 2)" for name in ("price", "cart_value", "total_amount")},
    }
    selected = ", ".join(f"{casts.get(name, f'queue.{name}')} as {name}" for name in ENRICHED_EVENTS.names)
    return (
        f"create materialized view {DATABASE}.pump to {DATABASE}.events as select {selected} from {DATABASE}.queue "
        f"where length(_error) = 0 and {' and '.join(f'queue.{name} is not null' for name in NEVER_NULL)}"
    )


def _wait_until_quiet(store: ClickHouse, started: float) -> tuple[int, float]:
    """Rows, and seconds until the last of them came. Raises :class:`Unavailable` if none comes."""
    rows, last = 0, started
    while time.monotonic() - last < IDLE_SECONDS or not rows:
        found = int(store.query(f"select count() from {DATABASE}.events")[0][0])
        if found > rows:
            rows, last = found, time.monotonic()
        if time.monotonic() - started > PATIENCE_SECONDS and not rows:
            raise Unavailable("ClickHouse's Kafka engine stores nothing", "concord logs clickhouse")
        time.sleep(POLL_SECONDS)
    return rows, last - started
