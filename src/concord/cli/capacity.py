"""``concord capacity``: what a rate of events, or a volume of orders, needs, and what breaks first."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from rich.filesize import decimal
from rich.table import Table

from concord.bench.targets import is_reference
from concord.cli.batch_capacity import Answer
from concord.cli.cost.whatif import Every
from concord.cli.measured import RESULTS, Rank, measured
from concord.cli.numbers import positive
from concord.cli.output import AsJson, console, print_json, table
from concord.errors import ConcordError, ExitCode
from concord.provision import DAY_MS, EVENTS
from concord.rules.batch_capacity import Volume
from concord.rules.capacity import MICROSECONDS, Capacity, HopPlan
from concord.rules.capacity import capacity as sized
from concord.rules.hop_costs import DECLARED, Hop, HopCost, hop_costs
from concord.rules.sizing import Demand, Sizing
from concord.settings import load_settings

KAFKA_DAYS = int(EVENTS["retention.ms"]) / DAY_MS

DAILY: Any = "1d"

DECLARED_NOTE = "declared, seen on 2 busy cores; for this machine: concord bench speed"

Costs = Mapping[Hop, HopCost]


class NothingAsked(ConcordError):
    """Neither a rate nor a volume was given."""

    exit_code = ExitCode.USAGE


def capacity(
    target: Annotated[
        float | None, positive("--target", "Events per second, sustained: sizes the speed layer.")
    ] = None,
    orders: Annotated[float | None, positive("--orders", "Orders per day: sizes the batch layer.")] = None,
    lines_per_order: Annotated[float, positive("--lines-per-order", "Mean lines of an order.")] = 4,
    every: Every = DAILY,
    event_bytes: Annotated[float, positive("--event-bytes", "Mean size of an event as JSON.")] = 424,
    days: Annotated[float, positive("--days", "How long ClickHouse keeps events.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Size either layer from what a row was measured to cost: machines, disks, network; seconds, credits, the lake."""
    if not (target or orders):
        raise NothingAsked("nothing to size: give --target (events a second) or --orders (orders a day), or both")
    settings = load_settings()
    costs, source = measured_costs(RESULTS)
    demand = Demand(target, event_bytes, KAFKA_DAYS, days, settings.spark.trigger_seconds) if target else None
    speed = sized(demand, costs, Sizing()) if demand else None
    batch = Answer.to(Volume(orders, lines_per_order, every=every), settings) if orders else None
    if as_json:
        of_speed = document(speed, costs, source) if speed else {}
        print_json({**of_speed, **({"batch": batch.document()} if batch else {})})
        return
    if speed:
        show(speed, source)
    if batch:
        batch.show()


def measured_costs(folder: Path) -> tuple[Costs, str]:
    """The costs per event, and where they come from: the newest result of ten minutes at 20,000 events/s with nothing
    beside them. Raises :class:`Misconfigured` for a file that says something else."""
    return measured(folder, _rank, hop_costs, (DECLARED, DECLARED_NOTE))


def _rank(result: Mapping[str, Any]) -> Rank | None:
    return (result["measured_at"],) if result["hops"] and is_reference(result["result"]) else None


def document(answer: Capacity, costs: Costs, source: str) -> dict[str, Any]:
    """The answer in JSON's types, with the costs it was computed from."""
    first = answer.breaks_first
    return {
        **asdict(answer),
        "breaks_first": {"hop": first.hop, "at_per_second": first.breaks_at_per_second, "is_serial": first.is_serial},
        "is_enough": answer.is_enough,
        "costs": {hop.value: asdict(cost) for hop, cost in costs.items()},
        "costs_from": source,
    }


def show(answer: Capacity, source: str) -> None:
    """Machines, disks, the network, and where it breaks."""
    console.print(_hops(answer))
    console.print(_disks(answer))
    for line in summary(answer):
        console.print(line)
    console.print(f"[dim]costs: {source}[/dim]")


def _hops(answer: Capacity) -> Table:
    demand = answer.demand
    title = f"{demand.events_per_second:,.0f} events/s of {demand.event_bytes:,.0f} B"
    rows = [(plan.hop, plan.cores, decimal(int(plan.memory_bytes)), _limit(plan)) for plan in answer.hops]
    return table(title, ("hop", "cores", "memory", "breaks at"), rows)


def _limit(plan: HopPlan) -> str:
    cause = "one task, cores do not help" if plan.is_serial else "its cores"
    return f"{plan.breaks_at_per_second:,.0f} events/s: {cause}"


def _disks(answer: Capacity) -> Table:
    demand = answer.demand
    stores = (
        ("Kafka", answer.kafka_disk, demand.kafka_days),
        ("ClickHouse", answer.clickhouse_disk, demand.clickhouse_days),
    )
    rows = [
        (
            name,
            *(decimal(int(size)) for size in (disk.bytes_per_day, disk.kept_bytes, disk.provided_bytes)),
            f"{days:g}",
        )
        for name, disk, days in stores
    ]
    return table("Disk", ("store", "per day", "kept", "to provide", "days"), rows)


def summary(answer: Capacity) -> list[str]:
    """What the tables do not say, a line each."""
    net, first = answer.network, answer.breaks_first
    flows = (("broker in", net.broker_in), ("broker out", net.broker_out), ("ClickHouse in", net.clickhouse_in))
    lines = [
        f"partitions: {answer.partitions}; executors: {answer.executors}, of {answer.cores_per_executor} cores each",
        "network: " + ", ".join(f"{name} {decimal(int(rate))}/s" for name, rate in flows),
        f"{answer.cpu_us_per_event:.1f} µs of CPU per event in all: "
        f"{MICROSECONDS / answer.cpu_us_per_event:,.0f} events/s for each core that they share",
        f"first to break: {first.hop} at {first.breaks_at_per_second:,.0f} events/s",
    ]
    return (
        lines if answer.is_enough else [*lines, "[red]not enough:[/red] one task of that hop cannot carry the target"]
    )
