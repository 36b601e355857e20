"""What a million rows cost each step of the batch layer: a declared table, and the same from a benchmark's file.

A benchmark's document is ``{"result": {"capacity": {"sink": {"seconds_per_million": 40.0, …}, …}}}``. Steps and
fields that it lacks keep what is declared here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from concord.errors import Misconfigured

MILLION = 1e6


class BatchStep(StrEnum):
    """Where a row of the change logs takes time, in the order it comes by."""

    SINK = "sink"
    START = "start"
    CONNECTOR = "connector"
    RAW = "merge into RAW"
    MIRRORS = "mirrors"
    MODELS = "models"
    PUBLISH = "publish"

    @property
    def is_continuous(self) -> bool:
        """True for what works while rows arrive; the others are steps of a batch, one after the other."""
        return self is BatchStep.SINK


@dataclass(frozen=True)
class StepCost:
    """Seconds = fixed_seconds + rows ÷ 1,000,000 × seconds_per_million."""

    seconds_per_million: float
    fixed_seconds: float = 0.0

    def seconds(self, rows: float) -> float:
        return self.fixed_seconds + rows / MILLION * self.seconds_per_million


@dataclass(frozen=True)
class BatchCosts:
    """Of each step, and what a change takes on the lake's disk: in its log, and in the mirror of its table."""

    steps: Mapping[BatchStep, StepCost]
    log_bytes_per_row: float
    mirror_bytes_per_row: float


DECLARED = BatchCosts(
    {
        BatchStep.SINK: StepCost(40.0),
        BatchStep.START: StepCost(0.0, 8.0),
        BatchStep.CONNECTOR: StepCost(40.0, 8.0),
        BatchStep.RAW: StepCost(6.0, 1.0),
        BatchStep.MIRRORS: StepCost(20.0, 8.0),
        BatchStep.MODELS: StepCost(200.0, 25.0),
        BatchStep.PUBLISH: StepCost(10.0, 2.0),
    },
    log_bytes_per_row=45.0,
    mirror_bytes_per_row=40.0,
)


def line(small: tuple[float, float], large: tuple[float, float]) -> StepCost | None:
    """The cost that two runs have in common, each (rows, seconds): a line through them, its fixed part not below zero.

    None if the larger run took no longer: what a row costs cannot be told then.
    """
    (few, quick), (many, slow) = small, large
    if many <= few or slow <= quick:
        return None
    per_million = (slow - quick) / (many - few) * MILLION
    return StepCost(round(per_million, 3), round(max(0.0, quick - few / MILLION * per_million), 3))


def batch_costs(document: Any) -> BatchCosts:
    """The declared table with what a benchmark measured. Raises :class:`Misconfigured` naming step and field."""
    result = document.get("result") if isinstance(document, dict) else None
    found = result.get("capacity") if isinstance(result, dict) else None
    if not isinstance(found, dict):
        raise Misconfigured("a benchmark's result needs the field result.capacity, an object")
    lake = {name: found[name] for name in ("log_bytes_per_row", "mirror_bytes_per_row") if name in found}
    for name, value in lake.items():
        _require_cost(name, value)
    return replace(DECLARED, steps={step: _measured(step, found.get(step.value, {})) for step in BatchStep}, **lake)


def _measured(step: BatchStep, found: Any) -> StepCost:
    if not isinstance(found, dict):
        raise Misconfigured(f"a benchmark's capacity.{step} is not an object (value: {found!r})")
    named = {field.name: found[field.name] for field in fields(StepCost) if field.name in found}
    for name, value in named.items():
        _require_cost(f"{step}.{name}", value)
    return replace(DECLARED.steps[step], **named)


def _require_cost(name: str, value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value) or value < 0:
        raise Misconfigured(f"a benchmark's capacity.{name} is not a number from 0: {value!r}")
