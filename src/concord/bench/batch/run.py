"""``concord bench batch`` from beginning to end: a shop, a stack of its own, the steps, one document."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concord import bootstrap, provision
from concord.batch import job
from concord.bench.batch import Peer, Step, shop
from concord.bench.batch.files import OnDisk
from concord.bench.batch.from_file import life_of
from concord.bench.batch.logs import Logs, count
from concord.bench.batch.steps import Bench
from concord.bench.batch.targets import sink_rate
from concord.bench.own_stack import BATCH_STORES, own_stack
from concord.bench.result import Checks, Result, setting
from concord.contracts.tables import ORDER_ITEMS, TABLES, as_change
from concord.gateways.lake import Lake
from concord.platform.lifecycle import Watcher
from concord.rules.batch_costs import MILLION, BatchStep, StepCost, line
from concord.settings import Settings
from concord.telemetry.clock import now

COMPARED = (
    "row for row, all columns but arrival and load times: change logs of the lake, RAW, mirrors, staging and marts "
    "against DuckDB alone over the same changes"
)
SINK_STORES = ("kafka", "connect")
WAREHOUSE_STORES = ("clickhouse", "snowflake")
PARTS: Mapping[BatchStep, Callable[[str], bool]] = {
    BatchStep.START: lambda name: name in ("pin the lake", "start Spark"),
    BatchStep.CONNECTOR: lambda name: name.startswith("load ") and name.removeprefix("load ") in TABLES,
    BatchStep.RAW: lambda name: name == "merge into RAW",
    BatchStep.MIRRORS: lambda name: name.startswith("mirror "),
    BatchStep.MODELS: lambda name: name == "build and test models",
    BatchStep.PUBLISH: lambda name: name == "publish",
}
"""Which of a batch's steps make up which of those that are sized."""
ToolsOf = Callable[[Settings], job.Tools]


@dataclass(frozen=True)
class Plan:
    """One call of ``concord bench batch``."""

    name: str
    command: str
    lines: int
    seed: int
    steps: frozenset[Step]
    file: Path | None = None
    keeps: bool = False
    peers: frozenset[Peer] = frozenset()

    @property
    def stores(self) -> tuple[str, ...]:
        """Only what the steps need."""
        left_out = {
            *(SINK_STORES if Step.SINK not in self.steps else ()),
            *(WAREHOUSE_STORES if Step.BATCH not in self.steps else ()),
        }
        return tuple(name for name in BATCH_STORES if name not in left_out)


def batch(
    settings: Settings, plan: Plan, tools_of: ToolsOf, watcher: Watcher, say: Callable[[str], None]
) -> dict[str, Any]:
    """The result's document; a run whose checks fail makes it void."""
    taken = setting(settings)
    with own_stack(settings, plan.stores, watcher, plan.keeps, _provide) as own:
        folder = own.home / "bench"
        history, day = _made(plan, folder)
        bench = Bench(own, tools_of(own), folder, plan.seed, say, plan.peers)
        bench.run(history, day, plan.steps)
        size = {"lines": shop.lines_there(history[ORDER_ITEMS.name]).num_rows, "changes": count(history) + count(day)}
        lake = _bytes_per_row(bootstrap.lake(own))
    figures = {
        **size,
        "steps": bench.figures,
        "single_machine": bench.single,
        "same_models": bench.same_models,
        "memory_peak_bytes": max((each["peak_bytes"] for each in bench.figures.values()), default=0),
        "capacity": {**costs(bench.figures), **lake},
    }
    checks = Checks(COMPARED, [str(one) for one in bench.compared if not one.is_equal])
    at = now().isoformat(timespec="seconds")
    return Result(plan.name, at, plan.command, figures, checks, **vars(taken)).document()


def _made(plan: Plan, folder: Path) -> tuple[Logs, Logs]:
    """The shop's life up to the last day, and that day."""
    life = life_of(plan.file) if plan.file else shop.life(plan.lines, plan.seed)
    history, day = shop.parted(life)
    return OnDisk(folder / "history", history), OnDisk(folder / "day", day)


def _provide(own: Settings, stores: Collection[str]) -> None:
    """Topics and tables; the sinks are applied when they are measured."""
    provision.provision_lake(own)
    if set(SINK_STORES) <= set(stores):
        provision.provision_kafka(own)
    if set(WAREHOUSE_STORES) <= set(stores):
        provision.provision_clickhouse(own)
        provision.provision_snowflake(own)


def costs(steps: Mapping[str, Any]) -> dict[str, Any]:
    """What ``concord capacity`` sizes the batch layer with: lines through the day's batch and the first one.

    A step that took no longer for more rows is left out: a larger run would tell.
    """
    found: dict[str, StepCost] = {}
    if sink := steps.get(Step.SINK):
        found[BatchStep.SINK] = StepCost(round(MILLION / sink_rate(sink), 3))
    whole, day = steps.get(Step.BATCH), steps.get(Step.DAY)
    if whole and day:
        found[BatchStep.START] = StepCost(0.0, _part(day, BatchStep.START))
        lines = {part: line(_seen(day, part), _seen(whole, part)) for part in PARTS if part is not BatchStep.START}
        found |= {part: cost for part, cost in lines.items() if cost}
    return {name: vars(cost) for name, cost in found.items()}


def _seen(figures: Mapping[str, Any], part: BatchStep) -> tuple[float, float]:
    return figures["rows"], _part(figures, part)


def _part(figures: Mapping[str, Any], part: BatchStep) -> float:
    return float(sum(seconds for name, seconds in figures["seconds_by_step"].items() if PARTS[part](name)))


def _bytes_per_row(lake: Lake) -> dict[str, float]:
    """On the lake's disk, over all change logs and over all mirrors that have rows."""
    logs = _bytes_over_rows(lake, [as_change(table).name for table in TABLES.values()])
    mirrors = _bytes_over_rows(lake, list(TABLES))
    found = {"log_bytes_per_row": logs, "mirror_bytes_per_row": mirrors}
    return {name: value for name, value in found.items() if value is not None}


def _bytes_over_rows(lake: Lake, names: list[str]) -> float | None:
    rows = sum(lake.row_count(name) for name in names)
    size = sum(lake.figures(name).bytes for name in names)
    return round(size / rows, 2) if rows else None
