"""What is wanted of the batch layer's figures."""

from collections.abc import Iterator, Mapping
from typing import Any

from concord.bench.batch import Step
from concord.bench.targets import Target

GIB = 1 << 30


def targets(steps: Mapping[str, Any]) -> list[Target]:
    """The figures that something is wanted of, as far as they were measured."""
    return list(_targets(steps))


def _targets(steps: Mapping[str, Any]) -> Iterator[Target]:
    if sink := steps.get(Step.SINK):
        yield Target("Kafka → Iceberg by the Connect sink", sink_rate(sink), "rows/s", 20_000, 40_000, digits=0)
    if whole := steps.get(Step.BATCH):
        rate = whole["connector_rows_per_second"]
        yield Target("Iceberg → RAW by the Spark connector", rate, "rows/s", 30_000, 60_000, digits=0)
    if day := steps.get(Step.DAY):
        models = day["seconds_by_step"]["build and test models"]
        yield Target("dbt, one day of changes", models, "s", 60, 20, at_most=True)
    if steps:
        peak = max(each["peak_bytes"] for each in steps.values()) / GIB
        yield Target("memory at its peak, all engines (PSS)", peak, "GiB", 12, 8, at_most=True)


def sink_rate(sink: Mapping[str, Any]) -> float:
    """Without the start, where there was more than one commit."""
    return float(sink["after_first_commit_per_second"] or sink["rows_per_second"])
