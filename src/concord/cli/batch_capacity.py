"""``concord capacity --orders``: what so many orders a day need of the batch layer."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Any

from rich.filesize import decimal
from rich.table import Table

from concord.bench.batch import Step
from concord.cli.cost.basis import bill_of, document, price_list, suspend_of
from concord.cli.measured import RESULTS, Rank, measured
from concord.cli.output import console, table
from concord.rules.batch_capacity import BatchCapacity, StepPlan, Volume, batch_capacity, warehouse_work
from concord.rules.batch_costs import DECLARED, BatchCosts, batch_costs
from concord.rules.warehouse_cost import Bill, Prices, by_warehouse, repeated
from concord.settings import Settings

SIZED_WITH = {Step.BATCH, Step.DAY}
DECLARED_NOTE = "declared, seen on 2 busy cores; for this machine: concord bench batch"


def measured_costs(folder: Path) -> tuple[BatchCosts, str]:
    """The costs per row, and where they come from: the result of the most order lines with a whole batch and a
    day's, of those the newest. Raises :class:`Misconfigured` for a file that says something else."""
    return measured(folder, _rank, batch_costs, (DECLARED, DECLARED_NOTE))


def _rank(document: Mapping[str, Any]) -> Rank | None:
    result = document["result"]
    return (result["lines"], document["measured_at"]) if set(result.get("steps", ())) >= SIZED_WITH else None


@dataclass(frozen=True)
class Answer:
    """A volume sized, with what the warehouses cost for it a day, and where the costs come from."""

    sized: BatchCapacity
    bills: list[Bill]
    prices: Prices
    source: str

    @classmethod
    def to(cls, volume: Volume, settings: Settings) -> "Answer":
        costs, source = measured_costs(RESULTS)
        sized, prices = batch_capacity(volume, costs), price_list()
        return cls(sized, bills(sized, suspend_of(settings), prices), prices, source)

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        sized = self.sized
        return {
            "orders_per_day": sized.volume.orders_per_day,
            "rows_per_day": sized.volume.rows_per_day,
            "every_seconds": sized.volume.every.total_seconds(),
            "batch_seconds": sized.batch_seconds,
            "steps": [_step(plan) for plan in sized.steps],
            "breaks_first": _step(sized.breaks_first),
            "limit_orders_per_day": sized.limit_orders_per_day,
            "is_enough": sized.is_enough,
            "lake_bytes_per_day": sized.lake_bytes_per_day,
            "mirror_bytes_per_day": sized.mirror_bytes_per_day,
            "warehouses_a_day": [document(each) for each in self.bills],
            "costs_from": self.source,
        }

    def show(self) -> None:
        console.print(_steps(self.sized))
        console.print(_bills(self.bills, self.prices))
        for text in summary(self.sized):
            console.print(text, highlight=False)
        console.print(f"[dim]costs: {self.source}; prices of {self.prices.as_of}[/dim]")


def bills(sized: BatchCapacity, suspend: timedelta, prices: Prices) -> list[Bill]:
    """A day of such batches, by warehouse. A batch that lasts longer than the time between two is billed as it is."""
    day = by_warehouse(repeated(warehouse_work(sized), sized.volume.every))
    return [bill_of(name, statements, suspend, prices) for name, statements in day.items()]


def summary(sized: BatchCapacity) -> list[str]:
    """What the tables do not say, a line each."""
    return list(_summary(sized))


def _summary(sized: BatchCapacity) -> Iterator[str]:
    volume, first = sized.volume, sized.breaks_first
    yield f"a batch every {volume.every.total_seconds() / 3600:g} h takes {sized.batch_seconds:,.0f} s for {volume.rows_per_batch:,.0f} changes"
    yield (
        f"lake: {decimal(int(sized.lake_bytes_per_day))} of change logs a day, kept for ever, and "
        f"{decimal(int(sized.mirror_bytes_per_day))} of new rows in mirrors"
    )
    yield (
        f"first to break: {first.step}, alone too slow from {first.breaks_at_orders_per_day:,.0f} orders a day on; "
        f"the whole holds up to {sized.limit_orders_per_day:,.0f}"
    )
    if not sized.is_enough:
        yield "[red]not enough:[/red] what comes in cannot be taken in before the next batch"


def _step(plan: StepPlan) -> dict[str, Any]:
    figures = asdict(plan)
    limit = plan.breaks_at_orders_per_day
    return {**figures, "breaks_at_orders_per_day": limit if isfinite(limit) else None}


def _steps(sized: BatchCapacity) -> Table:
    volume = sized.volume
    title = f"{volume.orders_per_day:,.0f} orders a day, {volume.rows_per_day:,.0f} changes"
    rows = [(plan.step, f"{plan.seconds:,.1f}", _limit(plan)) for plan in sized.steps]
    return table(title, ("step", "seconds per batch", "alone too slow from, orders a day"), rows)


def _limit(plan: StepPlan) -> str:
    limit = plan.breaks_at_orders_per_day
    return f"{limit:,.0f}" if isfinite(limit) else "never"


def _bills(found: list[Bill], prices: Prices) -> Table:
    rows = [
        (each.warehouse, each.size, each.starts, f"{each.idle_share:.0%}", f"{each.credits:,.2f}", f"{each.money:,.2f}")
        for each in found
    ]
    return table("Warehouses, a day", ("warehouse", "size", "starts", "idle", "credits", prices.currency), rows)
