"""One hop alone: Kafka taking and giving the events' bytes, ClickHouse taking their rows."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from concord import bootstrap
from concord.bench.accounting import Accounts
from concord.bench.generator import Load, Part, generating
from concord.bench.own_stack import pids
from concord.bench.publication import Publication, publication
from concord.bench.recorded import Fate, read
from concord.bench.replay import Replay
from concord.bench.schedule import backlog
from concord.bench.speed import Measured
from concord.contracts.behaviour import ENRICHED_EVENTS
from concord.contracts.names import SPEED_DATABASE, TOPIC_PARTITIONS
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka.counting import count_records
from concord.provision import ARRIVAL
from concord.rules.quality import Accepted, judge
from concord.settings import Settings
from concord.telemetry.clock import now

TOPIC = "bench.events"
NOMINAL_PER_SECOND = 20_000
ROWS_PER_INSERT = 40_000
"""A micro-batch of two seconds at 20,000 a second."""
PLAIN_DATABASE = "bench"


def kafka(settings: Settings, file: Path, count: int) -> Measured:
    """Produce ``count`` events with acks=all, then consume them; the broker's CPU for each."""
    bootstrap.kafka(settings).create_topics({TOPIC: ARRIVAL}, TOPIC_PARTITIONS)
    accounts = Accounts.of({"kafka": pids(settings)["kafka"]})
    accounts.begin()
    schedule = backlog(count, NOMINAL_PER_SECOND, time.time_ns() // 1_000_000)
    load = Load([Part(file, schedule, run=int(time.time()))], settings.kafka.bootstrap, topic=TOPIC)
    with generating(load) as generator:
        sent = generator.result()
    produced_cpu = accounts.seconds()["kafka"]
    accounts.begin()
    read_back = _consumed(settings, count)
    figures = {
        "records": count,
        "bytes_per_event": round(read(file).bytes_per_event, 1),
        "produce": {
            **sent.document(),
            "broker_cpu_us_per_event": produced_cpu / count * 1e6,
            "client_cpu_us_per_event": sent.cpu_seconds / count * 1e6,
        },
        "consume": {
            "records": read_back.records,
            "per_second": read_back.records / read_back.seconds,
            "broker_cpu_us_per_event": accounts.seconds()["kafka"] / count * 1e6,
        },
    }
    wrong = [] if read_back.records == count else [f"{read_back.records:,} records read back, {count:,} were sent"]
    return Measured(figures, wrong, {})


@dataclass(frozen=True)
class Read:
    records: int
    seconds: float


def _consumed(settings: Settings, count: int) -> Read:
    """Every record of the topic, by one consumer of one process, bytes only."""
    started = time.monotonic()
    records = count_records(settings.kafka.bootstrap, TOPIC, TOPIC_PARTITIONS, count)
    return Read(records, time.monotonic() - started)


def clickhouse(settings: Settings, file: Path, count: int) -> Measured:
    """Insert ``count`` rows of ``events`` as the speed layer does: into a plain copy, then with every view."""
    store = bootstrap.clickhouse(settings, "admin")
    rows = list(_batches(file, count))
    plain = _plain_copy(store)
    figures = {
        "rows": sum(batch.num_rows for batch in rows),
        "columns": len(ENRICHED_EVENTS.columns),
        "rows_per_insert": ROWS_PER_INSERT,
        "table_alone": _inserted(settings, store, plain, rows),
        "with_all_views": _inserted(settings, store, f"{SPEED_DATABASE}.events", rows),
    }
    wanted = figures["rows"]
    counts = {table: store.query(f"select count() from {table}")[0][0] for table in (plain, "events")}
    wrong = [f"{table}: {found:,} rows, {wanted:,} inserted" for table, found in counts.items() if found != wanted]
    return Measured(figures, wrong, {})


def _plain_copy(store: ClickHouse) -> str:
    """The same table without a view."""
    table = f"{PLAIN_DATABASE}.events"
    store.command(f"create database if not exists {PLAIN_DATABASE}")
    store.command(f"create table if not exists {table} as {SPEED_DATABASE}.events")
    store.command(f"truncate table {table}")
    return table


def _inserted(settings: Settings, store: ClickHouse, table: str, rows: list[pa.Table]) -> Mapping[str, Any]:
    accounts = Accounts.of({"clickhouse": pids(settings)["clickhouse"]})
    accounts.begin()
    token = f"bench {time.time_ns()}"
    started = time.monotonic()
    total = sum(store.insert_arrow(table, batch, f"{token} {number}") for number, batch in enumerate(rows))
    seconds = time.monotonic() - started
    cpu = accounts.seconds()["clickhouse"]
    return {"seconds": seconds, "rows_per_second": total / seconds, "cpu_us_per_row": cpu / total * 1e6}


def _batches(file: Path, count: int) -> Iterator[pa.Table]:
    """Rows of ``events`` out of recorded visits, typed as the judge of events types them."""
    recorded = read(file)
    replay = Replay(recorded, backlog(count, NOMINAL_PER_SECOND, time.time_ns() // 1_000_000), run=int(time.time()))
    published = publication(recorded.seed)
    first = 0
    while first < count:
        last = min(count, first + ROWS_PER_INSERT)
        yield _typed(replay, published, first, last)
        first = last


def _typed(replay: Replay, published: Publication, first: int, last: int) -> pa.Table:
    received = now()
    fates = replay.recorded.numbers("fate")
    values = [value for chunk in replay.chunks(first, last) for value in chunk.values]
    rows = []
    for number, value in zip(range(first, last), values, strict=True):
        verdict = judge(value, received) if fates[number % len(fates)] == Fate.STORED else None
        if isinstance(verdict, Accepted):
            row = verdict.row()
            rows.append({**row, **_position(number, received), **published.added(row)})
    return pa.Table.from_pylist(rows, schema=arrow_schema(ENRICHED_EVENTS))


def _position(number: int, received: Any) -> dict[str, Any]:
    """Of a row that no stream brought."""
    return {"_topic": TOPIC, "_partition": number % TOPIC_PARTITIONS, "_offset": number, "_timestamp": received}
