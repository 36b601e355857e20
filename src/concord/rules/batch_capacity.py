"""What so many orders a day need of the batch layer: how long a batch takes, credits, disk, and what breaks first.

Every figure is a product of what was measured per row; its formula is at its function. A batch takes in what came
since the one before it; its steps come one after the other, the sink works all the time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from concord.contracts.warehouse import WAREHOUSES, Role
from concord.rules.batch_costs import MILLION, BatchCosts, BatchStep
from concord.rules.warehouse_cost import Statement

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
"""Some day's; which one does not matter."""
OF_ROLE = {each.role: each.name for each in WAREHOUSES}
PAYS = {
    BatchStep.CONNECTOR: OF_ROLE[Role.LOADER],
    BatchStep.RAW: OF_ROLE[Role.LOADER],
    BatchStep.MODELS: OF_ROLE[Role.TRANSFORMER],
    BatchStep.PUBLISH: OF_ROLE[Role.TRANSFORMER],
}
"""Which warehouse is paid for a step."""


@dataclass(frozen=True)
class Volume:
    """What is to be carried. A change is a row of a change log: of an order one for each status."""

    orders_per_day: float
    lines_per_order: float = 4.0
    changes_per_order: float = 4.0
    """Of the order itself: placed, processing, shipped, delivered."""
    every: timedelta = DAY

    @property
    def rows_per_order(self) -> float:
        return self.lines_per_order + self.changes_per_order

    @property
    def rows_per_day(self) -> float:
        return self.orders_per_day * self.rows_per_order

    @property
    def rows_per_batch(self) -> float:
        """rows_per_day × every ÷ 1 day"""
        return self.rows_per_day * (self.every / DAY)


@dataclass(frozen=True)
class StepPlan:
    """One step: its part of a batch, and the orders a day at which it is too slow on its own."""

    step: BatchStep
    seconds: float
    breaks_at_orders_per_day: float


@dataclass(frozen=True)
class BatchCapacity:
    """The whole answer. ``breaks_at_orders_per_day``: a batch would last longer than the time between two."""

    volume: Volume
    steps: tuple[StepPlan, ...]
    batch_seconds: float
    breaks_at_orders_per_day: float
    lake_bytes_per_day: float
    """Of the change logs, which are kept for ever."""
    mirror_bytes_per_day: float
    """Of new rows in the mirrors; what a merge rewrites is there twice until snapshots expire."""

    @property
    def breaks_first(self) -> StepPlan:
        """The sink, or the step of a batch that leaves the least to the others."""
        return min(self.steps, key=lambda plan: plan.breaks_at_orders_per_day)

    @property
    def limit_orders_per_day(self) -> float:
        return min(self.breaks_at_orders_per_day, *(plan.breaks_at_orders_per_day for plan in self.steps))

    @property
    def is_enough(self) -> bool:
        return self.limit_orders_per_day >= self.volume.orders_per_day


def batch_capacity(volume: Volume, costs: BatchCosts) -> BatchCapacity:
    """Every step's part in a batch of this volume, and its limit."""
    of_batch = {step: cost for step, cost in costs.steps.items() if not step.is_continuous}
    fixed = sum(cost.fixed_seconds for cost in of_batch.values())
    per_million = sum(cost.seconds_per_million for cost in of_batch.values())
    orders = volume.orders_per_day * (volume.lines_per_order + 1)
    return BatchCapacity(
        volume=volume,
        steps=tuple(_plan(step, volume, costs) for step in BatchStep),
        batch_seconds=sum(cost.seconds(volume.rows_per_batch) for cost in of_batch.values()),
        breaks_at_orders_per_day=breaks_at(volume, fixed, per_million),
        lake_bytes_per_day=volume.rows_per_day * costs.log_bytes_per_row,
        mirror_bytes_per_day=orders * costs.mirror_bytes_per_row,
    )


def breaks_at(volume: Volume, fixed_seconds: float, seconds_per_million: float) -> float:
    """(every − fixed_seconds) × 1,000,000 ÷ seconds_per_million rows a batch, × 1 day ÷ every ÷ rows_per_order."""
    left = volume.every.total_seconds() - fixed_seconds
    if left <= 0:
        return 0.0
    if not seconds_per_million:
        return float("inf")
    return left * MILLION / seconds_per_million * (DAY / volume.every) / volume.rows_per_order


def _plan(step: BatchStep, volume: Volume, costs: BatchCosts) -> StepPlan:
    """The sink has the whole time too: what arrives between two batches must be in the lake by then."""
    cost = costs.steps[step]
    limit = breaks_at(volume, cost.fixed_seconds, cost.seconds_per_million)
    return StepPlan(step, cost.seconds(volume.rows_per_batch), limit)


def warehouse_work(capacity: BatchCapacity) -> list[Statement]:
    """What one batch has the warehouses do, as if each step were one statement: the time it takes is what counts."""
    return list(_work({plan.step: plan.seconds for plan in capacity.steps if not plan.step.is_continuous}))


def _work(seconds: Mapping[BatchStep, float]) -> Iterator[Statement]:
    begun = MIDNIGHT
    for step, lasts in seconds.items():
        ended = begun + timedelta(seconds=lasts)
        if step in PAYS:
            yield Statement(PAYS[step], begun, ended, kind=step.value)
        begun = ended
