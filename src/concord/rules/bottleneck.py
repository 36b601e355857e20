"""What holds the stream up, in words: the longest part of a micro-batch, or the hop that ends first as the rate grows."""

from collections.abc import Mapping
from enum import StrEnum

from concord.rules.capacity import MICROSECONDS, breaks_at
from concord.rules.hop_costs import Hop, HopCost

EASY = 0.5
"""Up to this share of the trigger nothing is worth a change."""
MOST_OF_STORING = 0.5


class Part(StrEnum):
    """Parts of a micro-batch, by the names of their metrics' label."""

    PLAN = "plan"
    READ = "read"
    STORE = "store"
    POSITION = "position"
    CHECKPOINT = "checkpoint"


WORDS: Mapping[str, str] = {
    Part.PLAN: "Kafka and Spark: asking for offsets and planning",
    Part.READ: "Spark: reading Kafka, parsing, validating",
    Part.STORE: "the worker: deduplication, enrichment, sessions",
    Part.POSITION: "ClickHouse: the insert of the position",
    Part.CHECKPOINT: "the disk: Spark's checkpoint",
}
INSERTS = "ClickHouse: the worker's questions and inserts"


def bottleneck(seconds: Mapping[str, float], trigger_seconds: float, clickhouse_seconds: float = 0.0) -> str:
    """``seconds`` by part of a micro-batch; ``clickhouse_seconds`` of one were spent in ClickHouse's statements."""
    total = sum(seconds.values())
    if not total:
        return "nothing comes in"
    longest = max(seconds, key=lambda part: seconds[part])
    words = WORDS.get(longest, longest)
    if longest == Part.STORE and clickhouse_seconds >= MOST_OF_STORING * seconds[longest]:
        words = INSERTS
    share = total / trigger_seconds
    return (
        f"{_verdict(share)}: a micro-batch takes {share:.0%} of its trigger; longest ({seconds[longest]:.2f} s) {words}"
    )


def of_hops(costs: Mapping[Hop, HopCost], cores: int) -> str:
    """On one machine whose cores all hops share: a task of one hop that cannot be shared among them, or the cores."""
    total = sum(cost.cpu_us_per_event for cost in costs.values())
    limits = {hop: breaks_at(cores, cost) for hop, cost in costs.items()}
    first = min(limits, key=lambda hop: limits[hop][0])
    (rate, is_serial), shared = limits[first], cores * MICROSECONDS / total
    if is_serial and rate < shared:
        return f"{first}: one task of it carries {rate:,.0f} events/s, however many cores there are"
    dearest = max(costs, key=lambda hop: costs[hop].cpu_us_per_event)
    share = costs[dearest].cpu_us_per_event / total
    return (
        f"the {cores} cores that all hops share: at {total:.1f} µs per event they carry {shared:,.0f} events/s, what sends "
        f"and asks not counted; {dearest} takes {share:.0%} of it"
    )


def _verdict(share: float) -> str:
    if share <= EASY:
        return "none"
    return "close" if share <= 1 else "too slow"
