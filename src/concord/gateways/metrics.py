"""The metrics that a process of ours serves for Prometheus, read over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from concord.errors import Unavailable
from concord.telemetry.metrics import CATALOGUE, Metric

ANSWER_SECONDS = 5

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Scraped:
    """Values by metric name and then by label values, in the order in which the catalogue names the labels."""

    values: Mapping[str, Mapping[Labels, float]] = field(default_factory=dict)

    def value(self, metric: Metric, *labels: str) -> float | None:
        """One series; None if it is not served (yet)."""
        return self.values.get(metric.name, {}).get(labels)

    def series(self, metric: Metric) -> Mapping[Labels, float]:
        """All series of the metric."""
        return self.values.get(metric.name, {})


def scrape(address: str) -> Scraped:
    """What ``http://address/metrics`` answers. Raises :class:`Unavailable` if nobody does."""
    url = f"http://{address}/metrics"
    try:
        answer = httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"no metrics at {url}: {error}", "concord status") from error
    return parsed(answer.text)


def parsed(text: str) -> Scraped:
    """From Prometheus' text format; what is not in the catalogue is left out."""
    values: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if metric := CATALOGUE.get(sample.name):
                labels = tuple(sample.labels[name] for name in metric.labels)
                values.setdefault(sample.name, {})[labels] = sample.value
    return Scraped(values)
