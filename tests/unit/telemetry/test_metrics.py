"""The catalogue keeps Prometheus' conventions, and what is served is what was said."""

import re
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from concord.errors import Misconfigured, Unavailable
from concord.gateways.metrics import parsed, scrape
from concord.telemetry import metrics as catalogue
from concord.telemetry.exposition import Metrics
from concord.telemetry.metrics import CATALOGUE, Kind, Metric


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=CATALOGUE)
def test_a_name_follows_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"concord_[a-z]+(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.help.endswith(".")
    assert all(re.fullmatch("[a-z_]+", label) and label not in ("le", "job", "instance") for label in metric.labels)


def test_every_metric_declared_is_in_the_catalogue_once() -> None:
    declared = [each for each in vars(catalogue).values() if isinstance(each, Metric)]
    assert sorted(CATALOGUE) == sorted(each.name for each in declared)


def test_a_scrape_names_every_metric_of_the_catalogue() -> None:
    families = {family.name: family for family in text_string_to_metric_families(Metrics().text())}
    assert {name.removesuffix("_total") for name in CATALOGUE} == set(families)
    assert all(families[name.removesuffix("_total")].type == metric.kind for name, metric in CATALOGUE.items())


def test_counters_add_up_and_gauges_are_replaced() -> None:
    metrics = Metrics()
    for amount in (3, 4):
        metrics.add(catalogue.RECORDS_SETTLED, amount, "q", "stored")
        metrics.set(catalogue.LAG_RECORDS, amount, "q", "t")
    assert metrics.value(catalogue.RECORDS_SETTLED, "q", "stored") == 7
    assert metrics.value(catalogue.LAG_RECORDS, "q", "t") == 4
    assert metrics.value(catalogue.LAG_RECORDS, "q", "other") is None


def test_what_is_refreshed_before_a_scrape_is_in_its_answer() -> None:
    metrics = Metrics()
    metrics.before_scrape(lambda: metrics.set(catalogue.STATE_BYTES, 17))
    assert "concord_speed_state_bytes 17.0" in metrics.text()


def test_what_is_served_is_read_again() -> None:
    metrics, port = Metrics(), free_port()
    metrics.add(catalogue.DEAD_LETTERS, 5, "q", "SEARCH", "not_json")
    stop = metrics.serve("127.0.0.1", port)
    try:
        assert scrape(f"127.0.0.1:{port}").value(catalogue.DEAD_LETTERS, "q", "SEARCH", "not_json") == 5
        with pytest.raises(Misconfigured, match=f"127.0.0.1:{port}"):
            Metrics().serve("127.0.0.1", port)
    finally:
        stop()
    with pytest.raises(Unavailable, match="no metrics at"):
        scrape(f"127.0.0.1:{port}")


def test_series_are_found_by_their_labels() -> None:
    found = parsed(
        'concord_speed_lag_seconds{query="q",topic="a"} 1.5\nconcord_speed_lag_seconds{query="q",topic="b"} 2\n'
    )
    assert found.series(catalogue.LAG_SECONDS) == {("q", "a"): 1.5, ("q", "b"): 2.0}
    assert found.value(catalogue.SESSIONS_OPEN) is None
