"""Several writers at once, maintenance beside the sinks and readers, time travel: on the running catalog and store."""

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException
from typer.testing import CliRunner

from concord import bootstrap
from concord.batch import maintain
from concord.cli import app
from concord.contracts.documents import DOCUMENTS
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.tables import ORDERS, POSITION_KEY, as_change, in_lake, lake_name
from concord.errors import ExitCode, Misconfigured
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake
from concord.settings import Settings, load_settings
from tests.commands import PATIENCE_SECONDS, command
from tests.factories import event_bytes
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

DAY = datetime(2026, 3, 1, tzinfo=UTC)
POSITION = tuple(map(lake_name, POSITION_KEY))
PATIENCE = 300


@pytest.fixture
def own(lake: Lake) -> Iterator[Dataset]:
    """A table of the test's own, shaped like the events landing; in one piece, so that pyiceberg alone can fill it."""
    dataset = in_lake(EVENTS_LANDING).extended(f"test_{uuid4().hex[:12]}", partition=None)
    assert lake.create_table(dataset)
    yield dataset
    lake.drop_table(dataset.name)


def append(lake: Lake, dataset: Dataset, *offsets: int, partition: int = 0) -> int:
    """One commit, tried again as long as another writer is faster; its snapshot."""
    rows = [
        {"value": b"x", "_topic": "t", "_kafka_partition": partition, "_offset": offset, "_timestamp": DAY}
        for offset in offsets
    ]
    while True:
        table = lake._table(dataset.name)
        try:
            table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
        except CommitFailedException:
            continue
        snapshot = table.current_snapshot()
        assert snapshot
        return snapshot.snapshot_id


@dataclass
class Beside:
    """What goes on beside a block: how often it has acted, and what it failed with."""

    turns: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def await_a_turn(self) -> None:
        """Until one has ended that had not begun yet: the one that is under way tells nothing."""
        under_way = self.turns + 1
        eventually(lambda: self.turns > under_way, PATIENCE)


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[Beside]:
    """Goes on acting beside the block."""
    beside, is_over = Beside(), Event()

    def go_on() -> None:
        while not is_over.is_set():
            try:
                act()
            except BaseException as error:
                beside.failures.append(error)
            beside.turns += 1

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield beside
    finally:
        is_over.set()
        thread.join()


def test_two_writers_at_once_lose_nothing_and_repeat_nothing(lake: Lake, own: Dataset) -> None:
    writers = [
        Thread(target=lambda part=part: [append(lake, own, offset, partition=part) for offset in range(8)])
        for part in (0, 1)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    held = lake.scan(own.name, POSITION).to_pylist()
    assert sorted((row["_kafka_partition"], row["_offset"]) for row in held) == [
        (p, o) for p in (0, 1) for o in range(8)
    ]
    assert len(lake.snapshots(own.name)) == 16
    assert lake.repeated_rows(own.name, own.key) == 0


def test_a_table_is_read_as_it_was_and_rolled_back(lake: Lake, own: Dataset) -> None:
    first, second = append(lake, own, 1, 2), append(lake, own, 3)
    told = lake.snapshots(own.name)
    assert [(one.id, one.added_rows, one.rows, one.is_current) for one in told] == [
        (first, 2, 2, False),
        (second, 1, 3, True),
    ]
    assert lake.snapshot_at(own.name, told[0].committed_at) == first
    assert lake.row_count(own.name, first) == 2
    lake.roll_back(own.name, first)
    assert lake.row_count(own.name) == 2
    assert [one.is_in_line for one in lake.snapshots(own.name)] == [True, False]
    with pytest.raises(Misconfigured, match="is not in the line"):
        lake.roll_back(own.name, second)
    with pytest.raises(Misconfigured, match="has no snapshot as of"):
        lake.snapshot_at(own.name, DAY - timedelta(days=4000))


def test_only_what_nothing_refers_to_is_an_orphan(lake: Lake, own: Dataset) -> None:
    append(lake, own, 1)
    append(lake, own, 2)
    table = lake._table(own.name)
    stray = f"{table.location()}/data/stray.parquet"
    with table.io.new_output(stray).create() as output:
        output.write(b"nobody's")
    later = datetime.now(UTC) + timedelta(hours=1)
    found = lake.orphans(own.name, later)
    assert [one.path.rsplit("/", 1)[-1] for one in found] == ["stray.parquet"]
    assert lake.orphans(own.name, DAY) == []
    lake.delete_orphans(own.name, found)
    assert lake.orphans(own.name, later) == []
    assert lake.row_count(own.name) == lake.scan(own.name).num_rows == 2


def test_rows_and_files_there_twice_are_counted(lake: Lake, own: Dataset) -> None:
    append(lake, own, 1, 2)
    append(lake, own, 2)
    assert lake.repeated_rows(own.name, own.key) == 1
    assert lake.repeated_files(own.name) == []
    again = register_again(lake, own.name)
    assert lake.repeated_files(own.name) == [again]
    assert lake.repeated_rows(own.name, own.key) > 1


def register_again(lake: Lake, name: str) -> str:
    """As a sink would whose coordinator has a twin: one of the files is in the table twice; its path."""
    table = lake._table(name)
    file = next(iter(table.scan().plan_files())).file
    with table.transaction() as change, change.update_snapshot().fast_append() as append_again:
        append_again.append_data_file(file)
    return file.file_path


def put(tmp_path: Path) -> int:
    """A document of its own; the snapshot of the table that holds it."""
    file = tmp_path / f"{uuid4().hex}.txt"
    file.write_text(file.name)
    told("put", str(file))
    snapshot = bootstrap.lake(load_settings()).current_snapshot(DOCUMENTS.name)
    assert snapshot
    return snapshot


def test_a_file_that_is_registered_twice_is_named_and_a_rollback_takes_it_back(lake: Lake, tmp_path: Path) -> None:
    name, sound = DOCUMENTS.name, put(tmp_path)
    rows, committed_at = lake.row_count(name), lake.snapshots(name)[-1].committed_at
    at = eventually(lambda: (second := datetime.now(UTC).replace(microsecond=0)) > committed_at and second)
    again = register_again(lake, name)

    audited = subprocess.run(
        command("lake", "audit", name), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert audited.returncode == ExitCode.DISAGREEMENT
    assert again in "".join(audited.stderr.split())
    shown = told("as-of", name, "--at", f"{at:%Y-%m-%d %H:%M:%S}", "--limit", "1")
    assert isinstance(shown, dict)
    assert (shown["snapshot"], shown["rows"]) == (sound, rows)

    done = CliRunner().invoke(app, ["lake", "rollback", name, "--to", str(sound), "--yes"])
    assert (done.exit_code, lake.row_count(name)) == (ExitCode.OK, rows), done.output
    assert f"is at snapshot {sound}; `concord lake put`" in done.output
    audited_again = told("audit", name)
    assert isinstance(audited_again, list)
    assert [(one["repeated rows"], one["repeated files"]) for one in audited_again] == [(0, 0)]


def test_the_command_tells_files_sizes_and_planning_before_and_after(lake: Lake, tmp_path: Path) -> None:
    put(tmp_path)
    put(tmp_path)
    rows = lake.row_count(DOCUMENTS.name)
    done = told("compact", DOCUMENTS.name)
    assert isinstance(done, list)
    (one,) = done
    before, after = one["before"], one["after"]
    assert (one["table"], after["files"], after["snapshots"]) == (DOCUMENTS.name, 1, before["snapshots"] + 1)
    assert before["files"] >= 2
    assert after["bytes"] < before["bytes"]
    assert min(before["planning_seconds"], after["planning_seconds"]) > 0
    assert lake.row_count(DOCUMENTS.name) == rows


def paths(lake: Lake, name: str) -> set[str]:
    """The data files that readers of the table read."""
    return {task.file.file_path for task in lake._table(name).scan().plan_files()}


def land(kafka: Kafka, lake: Lake, seeds: range) -> None:
    """Events in the landing, in a commit of the sink that they make it have."""
    rows = lake.row_count(EVENTS_LANDING.name)
    producer = kafka.producer()
    for seed in seeds:
        producer.produce(EVENTS_TOPIC, event_bytes(seed=seed), key=str(seed).encode())
    producer.flush(30)
    eventually(lambda: lake.row_count(EVENTS_LANDING.name) >= rows + len(seeds), PATIENCE, every=1)


def test_maintenance_beside_the_sink_and_readers_changes_files_and_no_row(
    settings: Settings, kafka: Kafka, lake: Lake, snowflake: Snowflake
) -> None:
    name = EVENTS_LANDING.name
    base = uuid4().int % 1_000_000_000

    def seeds(turn: int) -> range:
        return range(base + 10 * turn, base + 10 * turn + 5)

    for turn in range(3):
        land(kafka, lake, seeds(turn))
    turns, landing = count(100), in_lake(EVENTS_LANDING)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    before, rows = paths(lake, name), lake.scan(name, POSITION)
    first_day = min(lake.scan(name, ("_timestamp",))["_timestamp"].to_pylist())
    forgotten = {snapshot.id for snapshot in lake.snapshots(name)}
    stray = f"{lake._table(name).location()}/data/{uuid4()}.parquet"
    with lake._table(name).io.new_output(stray).create() as output:
        output.write(b"nobody's")

    with bootstrap.spark_for(settings, "test-maintenance", "1g") as spark:
        maintain.compact(spark, landing, first_day)
        assert before <= paths(lake, name), "the day that is being written is left alone"
        with (
            meanwhile(lambda: lake.scan(name, ("_offset", "value"))) as reader,
            meanwhile(lambda: land(kafka, lake, seeds(next(turns)))) as writer,
        ):
            # Two compactors at once, as from two machines: one commits first, and the other gives way.
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda _: maintain.compact(spark, landing, tomorrow), range(2)))
            maintain.rewrite_manifests(spark, landing)
            compacted, begun = paths(lake, name), datetime.now(UTC)
            # The age that is given protects who began before: the sink's open commit, and who reads an older snapshot.
            writer.await_a_turn()
            reader.await_a_turn()
            maintain.expire(spark, landing, begun, keep=1)
            deleted = maintain.clean_orphans(lake, landing, begun)
            reader.await_a_turn()
    assert reader.failures == []
    assert writer.failures == []
    assert len(before) >= 3
    assert before & compacted == set()  # what came meanwhile lies in files of its own
    assert forgotten.isdisjoint(snapshot.id for snapshot in lake.snapshots(name))
    assert stray.rpartition("/")[2] in {one.path.rpartition("/")[2] for one in deleted}
    now_held = lake.scan(name, POSITION)
    assert now_held.num_rows > rows.num_rows
    assert set(map(str, rows.to_pylist())) <= set(map(str, now_held.to_pylist()))
    assert lake.repeated_rows(name, POSITION) == 0
    land(kafka, lake, seeds(next(turns)))


def test_what_the_newest_published_batch_read_is_not_expired(lake: Lake) -> None:
    name = EVENTS_LANDING.name
    newest = lake.snapshots(name)[-1]

    class Warehouse:
        def query(self, statement: str, parameters: object) -> list[tuple[str]]:
            return [(str(newest.id),)]

    later = newest.committed_at + timedelta(days=1)
    warehouse: Snowflake = Warehouse()  # type: ignore[assignment]
    assert maintain.expendable_before(lake, warehouse, in_lake(EVENTS_LANDING), later) == newest.committed_at
    earlier = newest.committed_at - timedelta(days=1)
    assert maintain.expendable_before(lake, warehouse, in_lake(EVENTS_LANDING), earlier) == earlier


def told(*arguments: str) -> object:
    done = CliRunner().invoke(app, ["lake", *arguments, "--json"])
    assert done.exit_code == ExitCode.OK, done.output
    return json.loads(done.stdout)


def test_the_commands_tell_what_the_gateway_knows(lake: Lake, kafka: Kafka) -> None:
    name = EVENTS_LANDING.name
    base = uuid4().int % 1_000_000_000
    land(kafka, lake, range(base, base + 2))
    first = lake.current_snapshot(name)
    land(kafka, lake, range(base + 2, base + 4))
    second = lake.current_snapshot(name)
    snapshots = told("snapshots", name)
    assert isinstance(snapshots, list)
    assert {first, second} <= {one["id"] for one in snapshots}
    shown = told("as-of", name, "--snapshot", str(first), "--limit", "1")
    assert isinstance(shown, dict)
    assert (shown["rows"], len(shown["first"])) == (lake.row_count(name, first), 1)
    found = told("diff", name, str(first), str(second))
    assert isinstance(found, dict)
    came = lake.row_count(name, second) - lake.row_count(name, first)
    assert (found["came"], found["went"], found["changed"]) == (came, 0, 0)
    audited = told("audit", name, as_change(ORDERS).name)
    assert isinstance(audited, list)
    assert [one["repeated rows"] for one in audited] == [0, 0]


def test_a_landed_table_is_not_rolled_back(lake: Lake) -> None:
    done = CliRunner().invoke(app, ["lake", "rollback", EVENTS_LANDING.name, "--to", "1", "--yes"])
    assert isinstance(done.exception, Misconfigured)
    assert "a sink has landed" in done.exception.message
