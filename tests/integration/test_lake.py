"""The gateway against the running catalog and object store."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest
import stamina

from concord import bootstrap
from concord.batch import documents
from concord.cli.lake.bucket import declared
from concord.contracts.documents import DOCUMENT_SUBJECTS, DOCUMENTS
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Column, Dataset
from concord.contracts.position import Position
from concord.contracts.tables import in_lake
from concord.contracts.types import TEXT
from concord.dialects.iceberg import LANDED_DATASETS, METRICS, MIRRORS
from concord.errors import Misconfigured, Unavailable
from concord.gateways.lake import Lake
from concord.gateways.object_store import ObjectStore
from concord.gateways.object_store.bucket import Kind
from concord.ingest.documents.put import Putting, Subject
from concord.settings import Settings

pytestmark = pytest.mark.integration

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return bootstrap.lake(settings)


@pytest.fixture
def landing(lake: Lake) -> Iterator[Dataset]:
    """A table of the test's own, shaped like the events landing; in one piece, so that pyiceberg alone can fill it."""
    dataset = in_lake(EVENTS_LANDING).extended(f"test_{uuid4().hex[:12]}", partition=None)
    assert lake.create_table(dataset)
    yield dataset
    lake.drop_table(dataset.name)


def append(lake: Lake, dataset: Dataset, *positions: tuple[str, int, int]) -> int:
    table = lake._table(dataset.name)
    rows = [
        {"value": b"\xff", "_topic": topic, "_kafka_partition": partition, "_offset": offset, "_timestamp": DAY}
        for topic, partition, offset in positions
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    snapshot = lake.current_snapshot(dataset.name)
    assert snapshot is not None
    return snapshot


def test_a_table_without_a_row_holds_nothing(lake: Lake, landing: Dataset) -> None:
    assert lake.current_snapshot(landing.name) is None
    assert lake.row_count(landing.name) == 0
    assert lake.position(landing.name) == Position()


def test_the_position_is_that_of_the_snapshot_asked_for(lake: Lake, landing: Dataset) -> None:
    first = append(lake, landing, ("a", 0, 3), ("a", 1, 1), ("a", 0, 2))
    append(lake, landing, ("a", 0, 9))
    assert lake.position(landing.name, first) == Position.of([("a", 0, 3), ("a", 1, 1)])
    assert lake.position(landing.name) == Position.of([("a", 0, 9), ("a", 1, 1)])
    assert (lake.row_count(landing.name, first), lake.row_count(landing.name)) == (3, 4)


def test_a_scan_keeps_what_the_filter_keeps(lake: Lake, landing: Dataset) -> None:
    append(lake, landing, ("a", 0, 1), ("a", 0, 2), ("b", 0, 3))
    rows = lake.scan(landing.name, ("_topic", "_offset", "value"), "_offset >= 2 and _topic = 'a'")
    assert rows.to_pylist() == [{"value": b"\xff", "_topic": "a", "_offset": 2}]


def test_creating_a_table_again_changes_nothing(lake: Lake, landing: Dataset) -> None:
    snapshot = append(lake, landing, ("a", 0, 1))
    assert not lake.create_table(landing)
    assert lake.current_snapshot(landing.name) == snapshot


@pytest.mark.parametrize("dataset", [*LANDED_DATASETS, *MIRRORS, *METRICS], ids=lambda dataset: dataset.name)
def test_a_table_is_made_as_declared(lake: Lake, dataset: Dataset) -> None:
    table = lake._table(dataset.name)
    transforms = [str(field.transform) for field in table.spec().fields]
    assert transforms == (["day"] if dataset in LANDED_DATASETS else ["identity"] if dataset.partition else [])
    assert table.format_version == 2
    assert (
        table.properties.items()
        >= {
            "write.parquet.compression-codec": "snappy",
            "write.metadata.compression-codec": "gzip",
            "write.target-file-size-bytes": str(128 << 20),
            "commit.retry.num-retries": "4",
            "commit.retry.min-wait-ms": "100",
            "write.delete.isolation-level": "serializable",
            "write.update.isolation-level": "serializable",
            "write.merge.isolation-level": "serializable",
        }.items()
    )


def test_a_table_with_other_columns_is_refused(lake: Lake, landing: Dataset) -> None:
    with pytest.raises(Misconfigured, match="other columns than its contract: coupon"):
        lake.create_table(landing.extended(landing.name, Column("coupon", TEXT, nullable=True)))


def test_a_table_that_is_not_there_is_named(lake: Lake) -> None:
    with pytest.raises(Misconfigured, match="has no table nowhere"):
        lake.position("nowhere")


def test_a_wrong_key_is_misconfigured(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="refuses the key"):
        stranger(settings, settings.lake.uri).tables()


def test_a_catalog_that_is_not_there_is_unavailable(settings: Settings) -> None:
    with stamina.set_testing(True), pytest.raises(Unavailable, match=r"127\.0\.0\.1:9 could not"):
        stranger(settings, "http://127.0.0.1:9").tables()


def stranger(settings: Settings, uri: str) -> Lake:
    return Lake(
        uri=uri,
        warehouse=settings.lake.warehouse,
        s3_endpoint=settings.object_store.endpoint,
        region=settings.object_store.region,
        access_key="stranger",
        secret_key="wrong",
    )


def test_a_document_is_put_once_whoever_brings_it(settings: Settings, lake: Lake, tmp_path: Path) -> None:
    content = uuid4().hex.encode()
    files = [tmp_path / name for name in ("review.txt", "the-same.txt")]
    for file in files:
        file.write_bytes(content)
    putting = Putting(lake, bootstrap.document_store(settings), DAY)

    with ThreadPoolExecutor(4) as pool:
        done = [
            each
            for found in pool.map(lambda n: list(putting(files, Subject("product", str(n)))), range(4))
            for each in found
        ]

    assert [each.is_new for each in done].count(True) == 1
    sha256 = hashlib.sha256(content).hexdigest()
    [row] = lake.scan(DOCUMENTS.name, row_filter=f"sha256 = '{sha256}'").to_pylist()
    assert (row["content_text"], row["content_type"], row["size_bytes"]) == (content.decode(), "text/plain", 32)
    about = lake.scan(DOCUMENT_SUBJECTS.name, row_filter=f"sha256 = '{sha256}'").to_pylist()
    assert sorted(each["subject_id"] for each in about) == ["0", "1", "2", "3"]
    assert putting.store.read(f"{sha256[:2]}/{sha256}") == content


def test_what_is_known_of_documents_reaches_the_warehouse_once(settings: Settings, lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "manual.txt"
    file.write_text(uuid4().hex)
    [put] = Putting(lake, bootstrap.document_store(settings), DAY)([file], Subject("review", "7"))
    with bootstrap.loader(settings) as warehouse:
        documents.load(lake, warehouse, DAY)
        assert documents.load(lake, warehouse, DAY) == 0

        asked = "select d.name, d.size_bytes, s.subject, s.subject_id from RAW.documents d join RAW.document_subjects s on s.sha256 = d.sha256 where d.sha256 = %s"
        assert warehouse.query(asked, (put.document.sha256,)) == [("manual.txt", 32, "review", "7")]


def test_a_bucket_is_told_what_the_files_say(settings: Settings) -> None:
    store = bootstrap.lake_bucket(settings)
    own = ObjectStore(
        f"s3a://test-{uuid4().hex}/",
        endpoint=settings.object_store.endpoint,
        region=settings.object_store.region,
        access_key=store._access_key,
        secret_key=store._secret_key,
    )
    own.create_bucket()
    for kind in Kind:
        assert not own.holds_setting(kind, declared(kind))
        own.apply_setting(kind, declared(kind))
        assert own.holds_setting(kind, declared(kind)), kind
