"""Figures beside what is wanted of them. A bound counts for a run of its own kind alone; other runs' figures have none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from concord.bench.tables import markdown_table

COLUMNS = ("measured", "required", "aimed at", "")
RATE, SECONDS = 20_000, 600
"""The run that bounds of the speed layer are for: events a second, and how long."""
AIMED_RATE = 40_000
FEWEST_WAITING = 1_000_000
"""Of a backlog: fewer are gone before the speed layer is warm."""
FEWEST_ROWS = 50_000_000
"""Of events, for the time of a dashboard's question to say something."""
GB = 1e9
OF_SPEED_LAYER = ("kafka", "clickhouse", "speed")

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A figure beside what is wanted of it; ``at_most`` for times and memory.

    Where ``holds`` is false no bound is reached, whatever the figure.
    """

    name: str
    value: float
    unit: str
    required: float | None = None
    aimed: float | None = None
    at_most: bool = False
    digits: int = 1
    holds: bool = True

    @property
    def verdict(self) -> str:
        """In a word or two: what is reached, or missed; empty if nothing is wanted."""
        if self.required is None and self.aimed is None:
            return ""
        if self._reaches(self.aimed):
            return "aim reached"
        if self.required is None:
            return "aim missed"
        return "reached" if self._reaches(self.required) else "missed"

    def _reaches(self, bound: float | None) -> bool:
        if bound is None or not self.holds:
            return False
        return self.value <= bound if self.at_most else self.value >= bound

    def only_if(self, is_of_the_kind: bool) -> "Target":
        """Without bounds where the run is of another kind than they are for."""
        return self if is_of_the_kind else replace(self, required=None, aimed=None)

    @property
    def cells(self) -> tuple[str, ...]:
        """A row under :data:`COLUMNS`, the name before it."""
        measured = f"{self.value:,.{self.digits}f} {self.unit}"
        return (self.name, measured, self._bound(self.required), self._bound(self.aimed), self.verdict)

    def _bound(self, bound: float | None) -> str:
        return "" if bound is None else f"{'≤' if self.at_most else '≥'} {bound:,.10g}"


def of_valid(document: Figures, found: Sequence[Target]) -> list[Target]:
    """Figures of a void run are worth nothing: none of them has reached anything."""
    return [target.only_if(not document["is_void"]) for target in found]


def table(title: str, targets: Sequence[Target], others: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """In Markdown; ``others`` are figures of which nothing is wanted."""
    rows = [*(target.cells for target in targets), *((name, value, "", "", "") for name, value in others)]
    yield from markdown_table((title, *COLUMNS), rows)


# --- kinds of runs ---


def seconds_of(paced: Figures) -> float:
    """How long records were sent, by their number; 0 where a burst makes that unknown."""
    return 0.0 if paced["burst"] else round(paced["records"] / paced["per_second_intended"], 1)


def is_alone(result: Figures) -> bool:
    return bool(result.get("beside") == "nothing")


def is_reference(result: Figures) -> bool:
    """Ten minutes at 20,000 a second with nothing beside: what bounds of freshness, CPU and memory are for."""
    paced = result.get("paced")
    if not paced or not is_alone(result):
        return False
    return bool(seconds_of(paced) >= SECONDS and paced["per_second_intended"] == RATE)


# --- what is wanted of them ---


def of_backlog(backlog: Figures) -> list[Target]:
    """Required and aimed at for the drain as a whole; the first micro-batch, in which everything starts, apart."""
    rates = (
        ("drained, without the first micro-batch", "records_per_second"),
        ("drained, with the start and the first micro-batch", "with_start_per_second"),
    )
    is_large = backlog["records"] >= FEWEST_WAITING
    found = [
        Target(name, backlog[key], "events/s", 50_000, 100_000, digits=0).only_if(is_large)
        for name, key in rates
        if backlog[key] is not None
    ]
    return [*found, _cpu(backlog).only_if(False), _memory(backlog).only_if(False)]


def of_paced(result: Figures) -> list[Target]:
    """Rate, freshness, CPU and memory of a paced run."""
    paced, is_of_the_kind = result["paced"], is_reference(result)
    others = [*_freshness(paced["freshness_seconds"]), _cpu(paced), _memory(paced)]
    return [*_sustained(result), *(target.only_if(is_of_the_kind) for target in others)]


def _sustained(result: Figures) -> Iterator[Target]:
    """A rate is held if the lag stays flat; what grows reaches no bound."""
    paced = result["paced"]
    flow, seconds, rate = paced["flow"], seconds_of(paced), paced["per_second_intended"]
    if not flow or not seconds:
        return
    value = rate if flow["is_flat"] else flow["held_per_second"]
    name = f"sustained for {seconds:,.0f} s, lag {'flat' if flow['is_flat'] else 'grows'}"
    required, aimed = (RATE, AIMED_RATE) if is_alone(result) else (None, RATE)
    if rate >= AIMED_RATE:
        required = None
    target = Target(name, value, "events/s", required, aimed, digits=0, holds=flow["is_flat"])
    yield target.only_if(seconds >= SECONDS and rate >= RATE)


def _freshness(seconds: Figures) -> Iterator[Target]:
    yield Target("fresh after, the median", seconds["p50"], "s", required=2.5, at_most=True, digits=2)
    yield Target("fresh after, 99 %", seconds["p99"], "s", 5, 3, at_most=True, digits=2)


def _cpu(figures: Figures) -> Target:
    used = figures["speed_layer_cpu_us_per_event"]
    return Target("CPU of the speed layer", used, "µs per event", 75, 45, at_most=True)


def _memory(figures: Figures) -> Target:
    peaks = figures["memory_peak_bytes_by_engine"]
    is_alone = set(peaks) <= set(OF_SPEED_LAYER)
    peak = figures["memory_peak_bytes"] if is_alone else sum(peaks.get(name, 0) for name in OF_SPEED_LAYER)
    return Target("memory of the speed layer, summed PSS at its peak", peak / GB, "GB", 9.5, 6, at_most=True, digits=2)


def of_answers(result: Figures) -> dict[str, tuple[Target, Target]]:
    """The 95th and the 99th percentile of each question, and of ``all``."""
    answers, is_large = result["answers"], result["rows_before"]["events"] >= FEWEST_ROWS
    each = {name: found["ms"] for name, found in answers["by_question"].items()}
    return {name: _answered(name, ms, is_large) for name, ms in {**each, "all": answers["all_ms"]}.items()}


def _answered(name: str, ms: Figures, is_large: bool) -> tuple[Target, Target]:
    p95 = Target(f"{name}, 95 %", ms["p95"], "ms", 300, 100, at_most=True, digits=0)
    p99 = Target(f"{name}, 99 %", ms["p99"], "ms", required=1_000, at_most=True, digits=0)
    return p95.only_if(is_large), p99.only_if(is_large)


def of_hop(result: Figures) -> list[Target]:
    """Of Kafka or ClickHouse alone."""
    wanted = {
        "produced with acks=all": ("produce", "per_second", "msg/s", 100_000),
        "consumed": ("consume", "per_second", "msg/s", 100_000),
        "inserted, the table alone": ("table_alone", "rows_per_second", "rows/s", 200_000),
        "inserted, with all views": ("with_all_views", "rows_per_second", "rows/s", 200_000),
    }
    return [
        Target(name, result[part][key], unit, required, digits=0)
        for name, (part, key, unit, required) in wanted.items()
        if part in result
    ]


def of_trial(trial: Figures) -> Target:
    """How soon it was fresh again after a fault. What was lost or doubled is not made good by being quick."""
    took = trial["recovery_seconds"]
    holds = took is not None and trial["is_right"]
    return Target(trial["fault"], took or 0.0, "s", trial["fresh_within_seconds"], at_most=True, holds=holds)
