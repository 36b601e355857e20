"""Checkpoints on the object store, encrypted; and old ones, local or not, that a start may not go on from."""

import signal
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from rich.console import Console

from concord import bootstrap
from concord.contracts.events import EventType
from concord.contracts.names import EVENTS_QUERY
from concord.errors import Misconfigured
from concord.gateways.kafka import Kafka
from concord.gateways.object_store import ENCRYPTION, ObjectStore
from concord.platform import installed
from concord.platform.install import folders, jar_sets
from concord.platform.install.locks import STORE_JAR_SET
from concord.platform.install.progress import Downloads
from concord.settings import Settings, load_settings
from concord.speed.checkpoints.folder import LocalFolder
from concord.speed.checkpoints.made_with import FILE
from concord.speed.checkpoints.plan import made_with
from concord.speed.checkpoints.preflight import Preflight
from concord.speed.failpoint import Step
from concord.speed.store_lease import StoreLease, store_lease
from tests.integration.test_speed import Scene, assert_exactly_once, create, produce
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FILER_PORT = 3
"""Counted from the first of the store's inner ports: what it answers is what lies on the disk."""


@pytest.fixture
def on_store(settings: Settings) -> Iterator[Settings]:
    """The same stack, with checkpoints in a bucket of the test's own."""
    with folders.one_at_a_time(settings.cache, lambda: None), Downloads(Console(stderr=True)) as downloads:
        jar_sets.install(settings, STORE_JAR_SET, downloads)
    assert installed.jars(settings, STORE_JAR_SET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCORD_SPARK__CHECKPOINTS", f"s3a://test-{uuid.uuid4().hex}/speed")
        own = load_settings()
        checkpoints(own).create_bucket()
        yield own


def checkpoints(settings: Settings) -> ObjectStore:
    store = bootstrap.checkpoint_store(settings)
    assert store is not None
    return store


def test_kill_9_changes_nothing_on_the_object_store(on_store: Settings, scene: Scene) -> None:
    """Wherever it is killed, what the store holds is the same: offsets without a commit."""
    assert scene.drive(failpoint=Step.DATA_STORED) == -signal.SIGKILL
    assert scene.drive() == 0

    assert_exactly_once(scene)
    assert not list(scene.folder.iterdir()), "nothing is kept on this machine"
    store = checkpoints(on_store)
    kept = [f"{EVENTS_QUERY}/{name}" for name in ("metadata", FILE)]
    kept += [f"{EVENTS_QUERY}/{log}/{name}" for log in ("offsets", "commits") for name in names(store, log)]
    assert len(kept) > 8
    assert [path for path in kept if not is_encrypted(on_store, store, path)] == []


def names(store: ObjectStore, log: str) -> list[str]:
    return store.names(f"{EVENTS_QUERY}/{log}")


def is_encrypted(settings: Settings, store: ObjectStore, path: str) -> bool:
    """The store says so, and what lies on its disk is not what it hands out."""
    bucket, _, prefix = store.address.removeprefix("s3a://").partition("/")
    raw = httpx.get(
        f"http://127.0.0.1:{settings.object_store.admin_port_base + FILER_PORT}/buckets/{bucket}/{prefix}/{path}"
    )
    told = raw.headers.get("x-amz-server-side-encryption")
    return raw.status_code == 200 and told == ENCRYPTION and raw.content != store.read(path)


def test_an_object_without_encryption_is_told_from_one_with_it(on_store: Settings) -> None:
    store = checkpoints(on_store)
    store.write("asked", b"secret")
    store._client.put_object(Bucket=store._bucket, Key=store._key("plain"), Body=b"secret")

    assert is_encrypted(on_store, store, "asked")
    assert not is_encrypted(on_store, store, "plain")


def test_of_many_writers_of_one_version_one_succeeds(on_store: Settings) -> None:
    store = checkpoints(on_store)
    for version in (None, store.replace("first", b"before", None)):
        path = "first" if version else "none"
        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(lambda n, p=path, v=version: store.replace(p, b"%d" % n, v), range(16)))  # type: ignore[misc]

        assert len([each for each in written if each]) == 1


def test_a_second_driver_on_the_store_is_refused_while_the_first_lives(on_store: Settings) -> None:
    store = checkpoints(on_store)
    refused = pytest.raises(Misconfigured, match="process 1 on east holds s3a://")
    with store_lease(store, "east", "process 1 on east"), refused:
        StoreLease(store, "west", "process 2 on west").take()
    StoreLease(store, "west", "process 2 on west").take()


def preflight(scene: Scene) -> Preflight:
    return Preflight(LocalFolder(scene.folder), scene.kafka, scene.store, EVENTS_QUERY)


def refusal(scene: Scene) -> str:
    with pytest.raises(Misconfigured) as refused:
        preflight(scene)(made_with(scene.kafka, EVENTS_QUERY, [scene.topic]), is_ordered_by_partition=False)
    return refused.value.message


def administer(kafka: Kafka, request: Callable[[AdminClient], dict[Any, Any]]) -> None:
    """The client is kept until the answer is there: one that is let go takes its open requests with it."""
    client = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 2})
    for future in request(client).values():
        future.result(30)


def test_partitions_that_are_added_are_read_from_their_first_record(driven: Scene) -> None:
    scene = driven
    before = scene.one("select count() from events")
    administer(scene.kafka, lambda client: client.create_partitions([NewPartitions(scene.topic, 6)]))
    eventually(lambda: scene.kafka.described([scene.topic])[scene.topic].partitions == 6)
    more = [scene.made(EventType.PAGE_VIEW, 900 + number, ago=timedelta(minutes=1)) for number in range(20)]
    eventually(lambda: produced(scene, [(number % 6, record) for number, record in enumerate(more)]))

    assert scene.drive() == 0

    assert scene.one("select count(), uniqExact(event_id) from events") == (int(str(before[0])) + 20,) * 2
    assert scene.store.position() == scene.kafka.end_position([scene.topic])


def produced(scene: Scene, records: list[tuple[int, bytes | None]]) -> bool:
    produce(scene.kafka, scene.topic, records)
    return True


def test_what_stands_against_an_old_checkpoint_is_said_before_the_start(driven: Scene) -> None:
    """One checkpoint, one fault after the other; the worst, which cannot be undone, comes last."""
    scene = driven
    preflight(scene)(made_with(scene.kafka, EVENTS_QUERY, [scene.topic]), is_ordered_by_partition=False)
    at_rest = scene.one("select count(), (select count() from speed_position) from events")

    assert "is empty or cut short" in with_fault(scene, last(scene, "offsets"), lambda file: file.write_bytes(b""))
    assert "lack files" in with_fault(scene, last(scene, "offsets"), Path.unlink)
    assert "metadata is missing" in with_fault(scene, "metadata", Path.unlink)
    assert "cannot be read: Is a directory" in with_fault(scene, FILE, lambda file: (file.unlink(), file.mkdir()))
    scene.store.command("truncate table speed_position")
    assert "the store holds it up to -1" in refusal(scene)

    produce(scene.kafka, scene.topic, [(0, scene.made(EventType.PAGE_VIEW, 990))])
    next_offset = next(offset for _, partition, offset in scene.kafka.end_position([scene.topic]) if partition == 0)
    cut = TopicPartition(scene.topic, 0, next_offset + 1)
    administer(scene.kafka, lambda client: client.delete_records([cut]))
    assert f"-0 is kept from offset {next_offset + 1} on, offsets {next_offset} to {next_offset} were" in refusal(scene)

    administer(scene.kafka, lambda client: client.delete_topics([scene.topic]))
    eventually(lambda: scene.topic not in scene.kafka.partitions())
    eventually(lambda: create(scene.kafka, scene.topic) is None)
    assert "it was deleted and created again" in refusal(scene)
    assert scene.drive() > 0
    assert scene.one("select count() from events") == at_rest[:1]


def last(scene: Scene, log: str) -> str:
    numbers = [int(name) for name in LocalFolder(scene.folder).names(f"{EVENTS_QUERY}/{log}") if name.isdecimal()]
    return f"{log}/{max(numbers)}"


def with_fault(scene: Scene, name: str, fault: Callable[[Path], object]) -> str:
    """The refusal while the file is broken; afterwards it is whole again."""
    file = scene.folder / EVENTS_QUERY / name
    whole = file.read_bytes()
    fault(file)
    told = refusal(scene)
    if file.is_dir():
        file.rmdir()
    file.write_bytes(whole)
    return told
