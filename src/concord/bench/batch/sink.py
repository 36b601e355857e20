"""Kafka → Iceberg: a backlog of changes drained by the Connect sinks into tables that were empty."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from concord import bootstrap
from concord.bench.batch.logs import Logs, count
from concord.bench.batch.meter import Took, metered
from concord.bench.batch.to_kafka import send
from concord.contracts.tables import TABLES, as_change
from concord.gateways.lake import Lake
from concord.gateways.lake.snapshots import Snapshot
from concord.provision import CONNECTOR_SECONDS, connectors
from concord.settings import Settings
from concord.telemetry.waiting import NotYet, wait_for

LAKE_SECONDS = 900.0


@dataclass(frozen=True)
class Drained:
    """``seconds`` from when the connectors were applied to the last commit; ``after_first_commit`` is rows a second."""

    rows: int
    bytes: int
    seconds: float
    after_first_commit: float | None
    took: Took

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def drained(settings: Settings, logs: Logs) -> Drained:
    """Send everything, then start the sinks and wait until the lake holds as many rows, or for so long."""
    kafka, lake = bootstrap.kafka(settings), bootstrap.lake(settings)
    for name, rows in logs.items():
        send(kafka, TABLES[name], rows)
    with metered(settings) as took:
        began = time.time()
        _start_sinks(settings)
        _wait(lake, logs)
    commits = {name: lake.snapshots(as_change(TABLES[name]).name) for name in logs}
    last = max((each[-1].committed_at.timestamp() for each in commits.values() if each), default=began)
    return Drained(
        rows=count(logs),
        bytes=sum(each[-1].bytes for each in commits.values() if each),
        seconds=max(last - began, 1e-3),
        after_first_commit=pace(list(commits.values())),
        took=took,
    )


def _start_sinks(settings: Settings) -> None:
    connect = bootstrap.connect(settings)
    for name, config in _sinks():
        connect.apply(name, config)
    for name, _ in _sinks():
        connect.wait_running(name, CONNECTOR_SECONDS)


def _sinks() -> Iterator[tuple[str, dict[str, str]]]:
    wanted = {f"lake-{name}-sink" for name in TABLES}
    return ((name, config) for name, config in connectors().items() if name in wanted)


def _wait(lake: Lake, logs: Logs) -> None:
    def is_complete() -> bool | None:
        held = (lake.row_count(as_change(TABLES[name]).name) >= rows.num_rows for name, rows in logs.items())
        return all(held) or None

    try:
        wait_for(is_complete, LAKE_SECONDS)
    except NotYet:
        return  # the comparison says what is missing


def pace(tables: Sequence[Sequence[Snapshot]]) -> float | None:
    """Rows a second, without the start: what came after each table had its first commit, until the last one."""
    commits = [commit for table in tables for commit in table]
    begin = max((table[0].committed_at for table in tables if table), default=None)
    later = [commit for commit in commits if begin and commit.committed_at > begin]
    if begin is None or not later:
        return None
    seconds = (max(commit.committed_at for commit in later) - begin).total_seconds()
    return sum(commit.added_rows for commit in later) / seconds
