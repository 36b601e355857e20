"""Where a result was made without the protocol."""

from concord.bench.protocol import departures, kept, spread
from tests.unit.bench.documents import backlog, document, paced

RUN = {"speed_layer_cpu_us_per_event": 57.0, "freshness_seconds": {"p50": 2.0, "p99": 3.0}}
OTHER = {"speed_layer_cpu_us_per_event": 55.0, "freshness_seconds": {"p50": 2.5, "p99": 2.9}}
BUSY = {"load_1m": 0.3, "load_5m": 0.1, "busy_percent": 0.0}


def test_three_runs_on_a_calm_machine_are_as_they_should_be():
    assert departures(document({"all_paced_runs": [RUN] * 3})) == []


def test_fewer_runs_and_load_are_named():
    assert departures(document({"all_paced_runs": [RUN] * 2})) == ["2 of 3 runs"]
    assert departures(document({"paced": paced()}, load_before=BUSY)) == [
        "1 of 3 runs, no spread",
        "load 0.30 before it, 0.3 at most",
    ]


def test_a_drain_comes_once_however_often_the_paced_run_does():
    assert departures(document({"backlog": backlog(), "all_paced_runs": [RUN] * 3})) == ["one drain, not 3"]


def test_every_result_has_a_row_and_load_is_marked():
    calm, busy = document({"all_paced_runs": [RUN] * 3}), document({}, name="chaos", load_before=BUSY)
    rows = list(kept([calm, busy]))
    assert "| [speed](#speed) | 3 | 0.10 | – |" in rows
    assert "| [chaos](#chaos) | 1 | **0.30** | 1 of 3 runs, no spread; load 0.30 before it, 0.3 at most |" in rows


def test_the_spread_of_several_runs_is_their_least_and_largest():
    assert spread([RUN]) is None
    assert spread([RUN, OTHER, RUN]) == (
        "3 runs: CPU 55.0 to 57.0 µs per event, fresh after 2.00 to 2.50 s (median), 2.90 to 3.00 s (99 %)"
    )
