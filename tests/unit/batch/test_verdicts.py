"""Each landed record becomes one row: an event's columns, or what is wrong with it."""

from datetime import UTC, datetime

import pyarrow as pa

from concord.batch.verdicts import VERDICTS, verdicts
from concord.dialects.arrow import arrow_schema
from concord.rules.quality import Accepted, judge
from tests.event_documents import records
from tests.factories import event_bytes

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def landed(*values: bytes | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "value": pa.array(values, pa.binary()),
            "_topic": pa.array(["t"] * len(values)),
            "_partition": pa.array([2] * len(values), pa.int32()),
            "_offset": pa.array(range(len(values)), pa.int64()),
            "_timestamp": pa.array([RECEIVED] * len(values), pa.timestamp("us", "UTC")),
            "file_name": pa.array(["f"] * len(values)),
        }
    )


def test_rows_are_in_the_declared_columns_types_and_order() -> None:
    (batch,) = verdicts([landed(event_bytes(seed=1), b"{")])
    declared = arrow_schema(VERDICTS)
    assert batch.schema.names == declared.names
    assert batch.schema.types == declared.types
    assert batch["_offset"].to_pylist() == [0, 1]


def test_every_record_has_the_judges_verdict() -> None:
    sent = list(records(seed=11, count=1500, received_at=RECEIVED))
    (batch,) = verdicts([landed(*sent)])
    for value, row in zip(sent, batch.to_pylist(), strict=True):
        verdict = judge(value, RECEIVED)
        if isinstance(verdict, Accepted):
            assert row["reason"] is None
            assert {name: row[name] for name in verdict.row()} == verdict.row()
        else:
            found = row["reason"], row["pointer"], row["detail"], row["original"], row["event_id"]
            assert found == (verdict.reason, verdict.pointer, verdict.detail, value, None)


def test_no_records_are_no_rows() -> None:
    (batch,) = verdicts([landed()])
    assert batch.num_rows == 0
    assert list(verdicts([])) == []
