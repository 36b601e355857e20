"""``concord capacity`` and the numbers it takes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from concord.cli.capacity import DECLARED_NOTE, KAFKA_DAYS, document, measured_costs, summary
from concord.cli.measured import RESULTS
from concord.cli.numbers import WrongNumber, positive_number
from concord.errors import ExitCode, Misconfigured
from concord.rules.capacity import capacity
from concord.rules.hop_costs import DECLARED, Hop
from concord.rules.sizing import Demand, Sizing
from tests.unit.bench.documents import document as result
from tests.unit.bench.documents import paced

DEMAND = Demand(events_per_second=20_000, event_bytes=424, kafka_days=KAFKA_DAYS, clickhouse_days=30, trigger_seconds=2)


@pytest.mark.parametrize("given", ["0", "-1", "", "abc", "nan", "inf", "-inf", "1e400", "1e13", "9" * 400, "0x10"])
def test_a_number_that_cannot_be_is_refused_in_one_line_that_names_the_option(given: str) -> None:
    with pytest.raises(WrongNumber, match="--target") as refused:
        positive_number("--target", given)

    assert refused.value.exit_code is ExitCode.USAGE
    assert len(refused.value.message) < 75
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(("given", "number"), [("20000", 20_000.0), ("2e4", 20_000.0), (424, 424.0), (" 0.5 ", 0.5)])
def test_a_number_is_taken_however_it_is_written(given: str, number: float) -> None:
    assert positive_number("--target", given) == number


def test_without_a_benchmark_the_declared_costs_are_taken_and_named(tmp_path: Path) -> None:
    assert measured_costs(tmp_path / "nowhere") == (DECLARED, DECLARED_NOTE)
    kept(tmp_path, "short", 9.0, paced(seconds=300), "2026-01-09")
    kept(tmp_path, "void", 9.0, paced(), "2026-01-09", is_void=True)
    kept(tmp_path, "beside", 9.0, paced(), "2026-01-09", beside="all")
    kept(tmp_path, "twice-the-rate", 9.0, paced(rate=40_000), "2026-01-09")
    assert measured_costs(tmp_path) == (DECLARED, DECLARED_NOTE)


def test_the_newest_ten_minutes_at_the_rate_are_taken(tmp_path: Path) -> None:
    kept(tmp_path, "speed-z", 4.0, paced(), "2026-01-01")
    kept(tmp_path, "speed", 5.0, paced(), "2026-01-02")
    costs, source = measured_costs(tmp_path)

    assert (costs[Hop.BROKER].cpu_us_per_event, source) == (5, "speed.json")


def kept(
    folder: Path, name: str, cpu: float, run: dict[str, Any], at: str, beside: str = "nothing", **more: Any
) -> None:
    """A result in the folder whose broker takes so much."""
    hops = {"broker": {"cpu_us_per_event": cpu}}
    made = result({"paced": run, "beside": beside}, hops=hops, measured_at=at, **more)
    (folder / f"{name}.json").write_text(json.dumps(made))


@pytest.mark.parametrize("content", [b"\xff{", b"[]", b"{}", b'{"is_void": false, "hops": {"broker": {}}}'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "speed.json").write_bytes(content)

    with pytest.raises(Misconfigured, match=r"speed\.json"):
        measured_costs(tmp_path)


def test_the_results_of_this_project_hold_one_to_size_with() -> None:
    assert measured_costs(RESULTS)[1] != DECLARED_NOTE


def test_the_document_carries_the_answer_and_what_it_was_computed_from() -> None:
    answer = capacity(DEMAND, DECLARED, Sizing())
    stated = json.loads(json.dumps(document(answer, DECLARED, "here")))

    assert stated["breaks_first"]["hop"] == answer.breaks_first.hop
    assert stated["costs"]["spark"]["cpu_us_per_event"] == DECLARED[Hop.SPARK].cpu_us_per_event
    assert stated["partitions"] == answer.partitions
    assert stated["costs_from"] == "here"


def test_a_target_that_one_task_cannot_carry_is_said_so() -> None:
    assert not any("not enough" in line for line in summary(capacity(DEMAND, DECLARED, Sizing())))

    answer = capacity(replace(DEMAND, events_per_second=1_000_000), DECLARED, Sizing())
    assert "not enough" in summary(answer)[-1]
