"""The page of results."""

from datetime import UTC, datetime

import pytest

from concord.bench.page import NOTHING_ADDED, section, text
from concord.chaos.trial import Trial
from tests.unit.bench.documents import backlog, document, paced

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_each_trial_of_faults_is_a_row() -> None:
    well = Trial(1, "driver", AT, "killed inside micro-batch 4", 60, recovery_seconds=13.25, records=1_000)
    never = Trial(2, "burst", AT, "five times the rate", 30, records=2_000, lost=3)
    said = section(document({"seed": 1, "trials": [well.document(), never.document()]}, hops={}))

    assert "| driver | killed inside micro-batch 4 | 1,000 | 0 | 0 | 13.2 s | 60 s | reached |" in said
    assert "| burst | five times the rate | 2,000 | 3 | 0 | not while there was load | 30 s | missed |" in said
    assert "trials.0" not in said


PEERS = {
    "quick": {
        "records": 1_000_000,
        "records_per_second": 90_000.0,
        "cpu_us_per_event": 25.0,
        "memory_peak_bytes": 1 << 30,
        "guarantee": "at least once",
        "lacks": "sessions",
    },
    "broken": {"failed": "pip install", "detail": "no\nnetwork"},
}
RESULT = {"paced": paced(), "backlog": backlog(), "peers": PEERS, "all_paced_runs": []}


def test_a_figure_stands_beside_what_is_wanted_of_it() -> None:
    said = section(document(RESULT))
    assert "| drained, without the first micro-batch | 54,000 events/s | ≥ 50,000 | ≥ 100,000 | reached |" in said
    assert "| fresh after, 99 % | 4.00 s | ≤ 5 | ≤ 3 | reached |" in said
    assert "| held rate | 20,020/s |  |  |  |" in said


def test_a_void_run_reaches_nothing() -> None:
    checks = {"compared": "everything", "differences": ["stored: 1 records, 2 expected"]}
    said = section(document(RESULT, is_void=True, checks=checks))
    assert "**Void.** stored: 1 records, 2 expected" in said
    assert "| fresh after, 99 % | 4.00 s |  |  |  |" in said
    assert "reached" not in said


def test_the_bottleneck_of_a_run_is_named() -> None:
    said = section(document(RESULT))
    assert "the 2 cores that all hops share: at 50.0 µs per event they carry 40,000 events/s" in said
    assert "close: a micro-batch takes 60% of its trigger; longest (0.80 s) the worker" in said


def test_a_peer_is_held_against_the_drain_of_the_same_run() -> None:
    said = section(document(RESULT))
    assert "| quick | 1,000,000 | 90,000.0 | 25.0 | 2.00 × the CPU | 1,024.0 | at least once | sessions |" in said
    assert "| broken | – | – | – | – | – | failed: `pip install` | no network |" in said
    assert "| quick | 1,000,000 | 90,000.0 | 25.0 | – |" in section(document({**RESULT, "backlog": None}))


@pytest.mark.parametrize("result", [RESULT, {"trials": []}])
def test_a_run_without_a_publication_says_what_it_did_not_compare(result) -> None:
    made = document(result, hops={})
    assert NOTHING_ADDED not in section(made)
    bare = {name: value for name, value in made["result"].items() if name != "publication"}
    assert NOTHING_ADDED in section({**made, "result": bare})


def test_the_page_says_of_every_result_how_the_protocol_was_kept() -> None:
    said = text([document(RESULT), document({"trials": []}, name="chaos", hops={})])
    assert "| [speed](#speed) | 1 | 0.10 | 1 of 3 runs, no spread |" in said
    assert "| [chaos](#chaos) | 1 |" in said
    assert "No results yet" in text([])


def test_questions_are_judged_and_what_came_in_meanwhile_is_said() -> None:
    ms = {"p50": 20.0, "p95": 90.0, "p99": 160.0, "p100": 500.0}
    result = {
        "rows_before": {"events": 50_000_000},
        "answers": {"all_ms": ms, "by_question": {"revenue now": {"runs": 338, "ms": {**ms, "p95": 310.0}}}},
        "ingest": {name: paced()[name] for name in ("flow", "freshness_seconds")},
    }
    said = section(document(result, hops={}))
    assert "| revenue now | 338 | 20 | 310 | 160 | 500 | missed | reached |" in said
    assert "| all |  | 20 | 90 | 160 | 500 | aim reached | reached |" in said
    assert "Meanwhile 20,020 events/s were held, the lag flat; they were fresh after 2.00 s (median)" in said
