"""What a finished micro-batch says: to the log, to the metrics, as a trace."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from concord.speed.quality import FAULTS, Fate, KindCount
from concord.speed.receipts import receipts
from concord.speed.report import Finished, Reporter, begin, line, log_line, trace
from concord.speed.tally import Done, Tally
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics
from concord.telemetry.tracing import to_file

QUERY = "speed.events"
BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
MS = round(BEGAN.timestamp() * 1000)
DONE = Done(
    tallies=[Tally("t", 0, 5, 14, 10, stored=7, dead=1, duplicate=1, late=1), Tally("t", 1, 0, 3, 4, stored=4, dead=0)],
    measures={
        "worker_seconds": 0.5,
        "sessions_open": 40,
        "state_bytes": 4096,
        "receipt_ms_first": MS - 3000,
        "receipt_ms_p01": MS - 2000,
        "receipt_ms_p50": MS - 1000,
    },
    kinds=[KindCount("SEARCH", Fate.STORED, 11), KindCount("LOGIN", Fate.DEAD, 1, "not_json")],
)
FINISHED = Finished(QUERY, 42, DONE, BEGAN, data_seconds=1.5, position_seconds=0.1)


def reported(*finished: Finished) -> Metrics:
    metrics = Metrics()
    for each in finished:
        Reporter(metrics)(each)
    return metrics


def test_the_parts_of_a_micro_batch_make_up_its_time() -> None:
    assert FINISHED.parts == {"read": 1.0, "store": 0.5, "position": 0.1}


def test_a_worker_cannot_have_taken_longer_than_the_whole() -> None:
    clocks_differ = replace(FINISHED, done=replace(DONE, measures={"worker_seconds": 9.0}))
    assert clocks_differ.parts == {"read": 0.0, "store": 1.5, "position": 0.1}


def test_the_line_has_batch_counts_offsets_and_freshness() -> None:
    said = line(FINISHED)
    assert (said["batch_id"], said["records_in"], said["dead"]) == (42, 14, 1)
    assert said["offsets"] == {"t": {"0": "5-14", "1": "0-3"}}
    assert (said["fresh_p50_ms"], said["fresh_p99_ms"]) == (2600, 3600)
    assert not [name for name in said if name.startswith("receipt")]


def test_the_line_of_a_batch_without_records_says_nothing_of_freshness() -> None:
    said = line(replace(FINISHED, done=Done()))
    assert "fresh_p99_ms" not in said
    assert said["records_in"] == 0


def test_counts_are_conserved_from_batch_to_batch() -> None:
    metrics = reported(FINISHED, replace(FINISHED, batch_id=43))
    assert metrics.value(catalogue.RECORDS_READ, QUERY) == 28
    settled = {fate: metrics.value(catalogue.RECORDS_SETTLED, QUERY, fate) for fate in Fate}
    assert settled == {Fate.STORED: 22, Fate.DEAD: 2, Fate.DUPLICATE: 2, Fate.LATE: 2}
    assert metrics.value(catalogue.DEAD_LETTERS, QUERY, "LOGIN", "not_json") == 2
    assert metrics.value(catalogue.EVENTS, "SEARCH", "stored") == 22


def test_time_state_and_freshness_are_those_of_the_last_batch() -> None:
    metrics = reported(FINISHED, replace(FINISHED, batch_id=43, data_seconds=2.5))
    assert metrics.value(catalogue.BATCHES, QUERY) == 2
    assert metrics.value(catalogue.BATCH_SECONDS, QUERY, "read") == 3.0
    assert metrics.value(catalogue.LAST_BATCH_SECONDS, QUERY, "read") == 2.0
    assert metrics.value(catalogue.LAST_BATCH_AT, QUERY) == pytest.approx(BEGAN.timestamp() + 2.6)
    assert metrics.value(catalogue.FRESHNESS, QUERY, "1") == pytest.approx(5.6)
    assert (metrics.value(catalogue.SESSIONS_OPEN), metrics.value(catalogue.STATE_BYTES)) == (40, 4096)


def test_what_never_happened_has_a_history_of_zeros() -> None:
    metrics = Metrics()
    begin(metrics, QUERY, FAULTS)
    assert {metrics.value(catalogue.DEAD_LETTERS, QUERY, *fault) for fault in FAULTS} == {0}
    assert metrics.value(catalogue.ROWS_DROPPED, QUERY) == 0


def test_a_trace_has_a_span_per_part_one_after_the_other() -> None:
    whole = trace(FINISHED)
    assert [part.name for part in whole.parts] == ["read", "store", "position"]
    edges = [whole.began, *(part.ended for part in whole.parts)]
    assert [part.began for part in whole.parts] == edges[:-1]
    assert whole.ended == edges[-1]
    assert whole.attributes["concord.batch_id"] == 42
    assert whole.attributes["concord.offsets.t.0"] == "5-14"


def test_the_line_names_the_trace(tmp_path: Path) -> None:
    traces = to_file("test", tmp_path)
    with capture_logs() as lines:
        Reporter(Metrics(), traces)(FINISHED)
    traces.close()
    assert lines[0]["event"] == "micro_batch"
    assert lines[0]["trace_id"] in (tmp_path / "spans.jsonl").read_text()


def test_without_traces_the_line_names_none() -> None:
    with capture_logs() as lines:
        log_line(FINISHED)
    assert "trace_id" not in lines[0]


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_receipts_are_quantiles_in_milliseconds_whatever_the_unit(unit: str) -> None:
    times = pa.array([MS + each for each in range(100)], pa.timestamp("ms", "UTC")).cast(pa.timestamp(unit, "UTC"))
    found = receipts(pa.table({"_timestamp": times}))
    assert found == {"receipt_ms_first": MS, "receipt_ms_p01": MS, "receipt_ms_p50": MS + 49}
