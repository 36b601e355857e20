"""A unit of work is one trace, with its parts as spans in its own time."""

import json
from pathlib import Path

import pytest

from concord.telemetry import tracing
from concord.telemetry.tracing import Step, to_file

WORK = Step(
    "whole", 100.0, 103.5, {"query": "q", "batch_id": 7}, [Step("first", 100.0, 102.0), Step("second", 102.0, 103.5)]
)


def spans(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "spans.jsonl").read_text().splitlines()]


def test_the_parts_belong_to_the_whole_and_keep_their_times(tmp_path: Path) -> None:
    traces = to_file("test", tmp_path)
    trace_id = traces.record(WORK)
    traces.close()

    found = {span["name"]: span for span in spans(tmp_path)}
    whole = found["whole"]
    assert set(found) == {"whole", "first", "second"}
    assert {span["context"]["trace_id"] for span in found.values()} == {f"0x{trace_id}"}
    assert {found[name]["parent_id"] for name in ("first", "second")} == {whole["context"]["span_id"]}
    assert whole["parent_id"] is None
    assert whole["attributes"] == {"query": "q", "batch_id": 7}
    assert found["second"]["start_time"] == found["first"]["end_time"] == "1970-01-01T00:01:42.000000Z"


def test_each_unit_of_work_is_a_trace_of_its_own(tmp_path: Path) -> None:
    traces = to_file("test", tmp_path)
    ids = {traces.record(WORK), traces.record(WORK)}
    traces.close()
    assert len(ids) == 2


def test_the_files_do_not_grow_beyond_their_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "FILE_BYTES", 5_000)
    traces = to_file("test", tmp_path)
    for _ in range(40):
        traces.record(WORK)
    traces.close()
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 1 + tracing.FILES_KEPT
    assert max(sizes) <= 5_000
