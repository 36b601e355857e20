"""What a run's figures come to: targets, costs to size with, and the page."""

from typing import Any

import pytest

from concord.bench.batch import Step, page, with_needed
from concord.bench.batch.run import PARTS, Plan, costs
from concord.bench.batch.targets import targets
from concord.bench.page import section
from concord.bench.plots import plots
from concord.cli.bench import steps_of
from concord.errors import Misconfigured
from concord.rules.batch_costs import BatchStep, batch_costs

GIB = 1 << 30


def took(seconds: float, peak: float) -> dict[str, Any]:
    engines = {"spark": 2.0, "snowflake": 1.0}
    return {
        "seconds": seconds,
        "cpu_seconds": engines,
        "peak_bytes": int(peak * GIB),
        "peak_bytes_by_engine": {name: int(GIB * size) for name, size in engines.items()},
    }


def batch(rows: int, factor: float, peak: float = 4.0) -> dict[str, Any]:
    seconds = {
        "pin the lake": 1.0,
        "start Spark": 5.0,
        "load users": 1.0 * factor,
        "load orders": 3.0 * factor,
        "mirror orders": 2.0 * factor,
        "merge into RAW": 1.0 * factor,
        "build and test models": 15.0 * factor,
        "publish": 1.0,
        "load what is known of documents": 0.1,
    }
    figures = {"rows": rows, "connector_rows_per_second": rows / (4 * factor), "models": 30}
    return {**figures, **took(sum(seconds.values()), peak), "seconds_by_step": seconds}


STEPS: dict[str, Any] = {
    "sink": {"rows": 100_000, "rows_per_second": 15_000.0, "after_first_commit_per_second": 25_000.0, **took(4.0, 2.0)},
    "batch": batch(200_000, 4.0, peak=9.0),
    "day": batch(2_000, 1.0),
    "merge": {"rows": 100_000, "changed": 1_000, **took(6.0, 3.0)},
    "compaction": {
        "files_before": 12,
        "files_after": 2,
        "bytes_before": 9_000_000,
        "bytes_after": 8_000_000,
        "mb_per_second": 3.0,
        **took(3.0, 3.0),
    },
}
SINGLE = {
    name: {"seconds": 1.0, "cpu_seconds": 1.5, "peak_bytes": GIB, "times_as_long": 60.0, "times_the_cpu": 2.0}
    for name in ("batch", "day")
}
DOCUMENT: dict[str, Any] = {
    "name": "batch",
    "command": "concord bench batch",
    "measured_at": "2026-01-01T00:00:00+00:00",
    "is_void": False,
    "checks": {"compared": "row for row", "differences": []},
    "machine": {"cores": 2, "cpu": "some", "memory_bytes": 24 * GIB, "system": "Linux"},
    "load_before": {"load_1m": 0.1, "load_5m": 0.1, "busy_percent": 1.0},
    "hops": {},
    "result": {
        "lines": 100_000,
        "changes": 200_000,
        "steps": STEPS,
        "single_machine": SINGLE,
    },
}


def test_targets_are_met_or_missed_in_the_direction_that_counts() -> None:
    assert {each.name.split(",")[0]: each.verdict for each in targets(STEPS)} == {
        "Kafka → Iceberg by the Connect sink": "reached",
        "Iceberg → RAW by the Spark connector": "missed",
        "dbt": "aim reached",
        "memory at its peak": "reached",
    }
    assert targets({}) == []


def test_costs_are_what_concord_capacity_reads() -> None:
    found = batch_costs({"result": {"capacity": costs(STEPS)}}).steps

    assert found[BatchStep.SINK].seconds_per_million == 40
    # 15 s for 2,000 rows and 60 s for 200,000.
    assert found[BatchStep.MODELS].seconds_per_million == pytest.approx(45 / 0.198, abs=0.01)
    assert found[BatchStep.MODELS].seconds(2_000) == pytest.approx(15, abs=0.01)
    assert found[BatchStep.START].fixed_seconds == 6


def test_one_batch_alone_says_nothing_of_what_is_fixed() -> None:
    assert set(costs({"batch": STEPS["batch"]})) == set()


def test_a_step_of_a_batch_is_part_of_one_that_is_sized_at_most() -> None:
    names = STEPS["batch"]["seconds_by_step"]
    assert all(sum(is_part(name) for is_part in PARTS.values()) <= 1 for name in names)
    assert not PARTS[BatchStep.CONNECTOR]("load what is known of documents")


def test_the_page_says_what_was_measured_and_what_spark_costs() -> None:
    text = section(DOCUMENT)

    assert "| Kafka → Iceberg by the Connect sink | 25,000 rows/s | ≥ 20,000 | ≥ 40,000 | reached |" in text
    assert "the batch took 60 times as long and 2.0 times the CPU" in text
    assert page.WHEN_SPARK_PAYS in text
    assert "12 files to 2" in text


def test_the_page_holds_a_peer_beside_the_batch_and_duckdb_alone() -> None:
    each = {"seconds": 20.0, "cpu_seconds": 30.0, "peak_bytes": GIB, "times_as_long": 4.25, "times_the_cpu": 1.5}
    steps = {name: {**each, "models": 55, "tests_passed": 83} for name in SINGLE}
    result = {**DOCUMENT["result"], "same_models": {"dbt-duckdb": steps}}

    text = section({**DOCUMENT, "result": result})

    row = next(line for line in text.splitlines() if line.startswith("| batch |") and "4.2" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][1:4] == ["95.1", "1.0", "20.0"]
    assert "as long as dbt-duckdb" in text
    assert "the day took 4.2 times as long and 1.5 times the CPU" in text
    assert "55 models and seeds, 83 tests passed" in text
    assert "dbt-duckdb" not in section(DOCUMENT)


def test_plots_are_written_the_same_each_time(tmp_path) -> None:
    drawn = plots(DOCUMENT)
    assert set(drawn) == {"batch-memory.svg", "batch-seconds.svg"}
    for name, draw in drawn.items():
        draw(tmp_path / name)
        first = (tmp_path / name).read_bytes()
        draw(tmp_path / name)
        assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ("", set(Step)),
        ("merge", {Step.MERGE}),
        ("day, sink", {Step.DAY, Step.BATCH, Step.SINK}),
    ],
)
def test_steps_are_named_and_what_they_need_comes_along(given: str, steps: set[Step]) -> None:
    assert with_needed(steps_of(given)) == steps


def test_a_word_that_is_no_step_is_named() -> None:
    with pytest.raises(Misconfigured, match="'dbt' is no step"):
        steps_of("merge,dbt")


def test_only_engines_that_are_needed_are_started() -> None:
    def stores(*steps: Step) -> set[str]:
        return set(Plan("batch", "", 1, 1, with_needed(steps)).stores)

    assert stores(Step.MERGE) == {"object-store"}
    assert stores(Step.DAY) == {"object-store", "clickhouse", "snowflake"}
    assert "connect" in stores()
