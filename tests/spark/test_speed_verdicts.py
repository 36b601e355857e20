"""A hundred thousand good and bad records: the stream's verdict is that of the JSON Schemas and the stated rules."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet
from pyspark.sql import DataFrame, SparkSession

from concord.contracts.names import EVENTS_TOPIC
from concord.rules.violations import Reason
from concord.speed.records import planned, positioned
from concord.speed.settle import settled
from concord.speed.validate import LINE, validated
from tests.event_documents import records
from tests.event_oracle import FIELDS, Members, accepted, row
from tests.spark.conftest import RECEIVED

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

SEED, COUNT = 20260301, 100_000
RARELY = 500
"""Every reason at least so often."""


@dataclass(frozen=True)
class Outcome:
    """What went in, by offset; the documents that must be accepted; and what the stream made of it."""

    sent: Sequence[bytes | None]
    documents: Mapping[int, Members]
    events: pa.Table
    dead: pa.Table
    sure: int


@pytest.fixture(scope="module")
def outcome(plain_spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("verdicts")
    sent = list(records(SEED, COUNT, RECEIVED))
    found = validated(positioned(as_from_kafka(plain_spark, sent, folder / "records.parquet"))).repartition(1)
    sure = found.mapInArrow(settling(folder), "sure long").collect()[0].sure
    verdicts = {offset: accepted(record, RECEIVED) for offset, record in enumerate(sent)}
    documents = {offset: document for offset, document in verdicts.items() if document is not None}
    return Outcome(sent, documents, feather.read_table(folder / "events"), feather.read_table(folder / "dead"), sure)


def as_from_kafka(spark: SparkSession, sent: Sequence[bytes | None], file: Path) -> DataFrame:
    rows = {
        "value": pa.array(sent, pa.binary()),
        "topic": [EVENTS_TOPIC] * len(sent),
        "partition": pa.array([0] * len(sent), pa.int32()),
        "offset": pa.array(range(len(sent)), pa.int64()),
        "timestamp": pa.array([RECEIVED] * len(sent), pa.timestamp("us", "UTC")),
    }
    parquet.write_table(pa.table(rows), file)
    return spark.read.parquet(str(file))


def settling(folder: Path) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The rest of the stream's way, in a worker as there; what it leaves lies in the folder."""

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        arrived = planned(pa.Table.from_batches(list(batches)), RECEIVED)
        whole = settled(arrived)
        feather.write_feather(whole.events, str(folder / "events"))
        feather.write_feather(whole.dead, str(folder / "dead"))
        yield pa.RecordBatch.from_pydict({"sure": [arrived.num_rows - arrived[LINE].null_count]})

    return task


def test_the_verdict_on_every_record_is_that_of_schemas_and_rules(outcome: Outcome) -> None:
    stored = set(outcome.events["_offset"].to_pylist())

    assert [outcome.sent[offset] for offset in sorted(stored ^ outcome.documents.keys())] == []


def test_every_record_is_either_an_event_or_a_dead_letter_with_its_own_bytes(outcome: Outcome) -> None:
    dead = dict(zip(outcome.dead["_offset"].to_pylist(), outcome.dead["original"].to_pylist(), strict=True))
    stored = outcome.events["_offset"].to_pylist()

    assert sorted([*stored, *dead]) == list(range(COUNT))
    assert [offset for offset, original in dead.items() if original != outcome.sent[offset]] == []


def test_values_of_every_event_are_typed_as_its_document_says(outcome: Outcome) -> None:
    expected = {offset: row(document) for offset, document in outcome.documents.items()}

    assert [event for event in outcome.events.to_pylist() if as_parsed(event) != expected[event["_offset"]]] == []


def as_parsed(event: dict[str, Any]) -> dict[str, Any]:
    """Without the position, and with properties as the object that their text is."""
    text = event["properties"]
    return {column.name: event[column.name] for column in FIELDS} | {"properties": text and json.loads(text)}


def test_properties_are_kept_as_the_text_they_came_as(outcome: Outcome) -> None:
    texts = outcome.events.select(["_offset", "properties"]).to_pylist()

    assert all(each["properties"].encode() in outcome.sent[each["_offset"]] for each in texts if each["properties"])


def test_good_and_bad_records_of_every_kind_are_among_them(outcome: Outcome) -> None:
    reasons = Counter(outcome.dead["reason"].to_pylist())

    assert outcome.events.num_rows >= 0.3 * COUNT
    assert set(reasons) == {str(reason) for reason in Reason}
    assert min(reasons.values()) >= RARELY


def test_native_spark_decides_most_of_the_good_ones_and_the_judge_some(outcome: Outcome) -> None:
    assert 0.3 < outcome.sure / outcome.events.num_rows < 0.9


def test_the_earliest_and_the_latest_moment_are_among_the_events(outcome: Outcome) -> None:
    moments = set(outcome.events["occurred_at"].to_pylist())

    assert min(moments).year == 2000
    assert max(moments) == RECEIVED + timedelta(minutes=5)
