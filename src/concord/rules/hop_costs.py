"""What one event costs at each hop: a declared table, and the same from a benchmark's file.

A benchmark's document is ``{"hops": {"broker": {"cpu_us_per_event": 9.5, …}, …}}``. Hops and fields that
it lacks keep what is declared here; hops that are not sized here are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from concord.errors import Misconfigured

MIB = 1 << 20


class Hop(StrEnum):
    """Where an event uses a machine, in the order it comes by."""

    BROKER = "broker"
    SPARK = "spark"
    CLICKHOUSE = "clickhouse"


@dataclass(frozen=True)
class HopCost:
    """What a hop takes, measured by process accounting over a run whose result was right."""

    cpu_us_per_event: float
    """Microseconds of one core, of all its processes and threads."""
    memory_bytes: float
    """Resident while nothing comes in."""
    memory_bytes_per_event: float = 0.0
    """Resident in addition for each event of the micro-batch in flight."""
    serial_us_per_event: float = 0.0
    """Microseconds that cannot be shared among cores, because one task does them; 0 if all can."""


DECLARED: Mapping[Hop, HopCost] = {
    Hop.BROKER: HopCost(cpu_us_per_event=28.0, memory_bytes=450 * MIB),
    Hop.SPARK: HopCost(
        cpu_us_per_event=95.0, memory_bytes=1000 * MIB, memory_bytes_per_event=2_400, serial_us_per_event=17.0
    ),
    Hop.CLICKHOUSE: HopCost(cpu_us_per_event=12.0, memory_bytes=200 * MIB, memory_bytes_per_event=1_200),
}
"""Seen over 240,000 events at 8,000 a second, with the lake's sink beside it, on two cores that had other
work too: the first minute of young Java machines, so on the safe side. Serial is the task that stores a
micro-batch: its worker's CPU, and ClickHouse's while it waits for the insert."""


def hop_costs(document: Any) -> Mapping[Hop, HopCost]:
    """The declared table with what a benchmark measured. Raises :class:`Misconfigured` naming hop and field."""
    hops = document.get("hops") if isinstance(document, dict) else None
    if not isinstance(hops, dict):
        raise Misconfigured("a benchmark's result needs the field hops, an object")
    return {hop: _measured(hop, hops.get(hop.value, {})) for hop in Hop}


def _measured(hop: Hop, found: Any) -> HopCost:
    if not isinstance(found, dict):
        raise Misconfigured(f"a benchmark's hops.{hop} is not an object (value: {found!r})")
    named = {field.name: found[field.name] for field in fields(HopCost) if field.name in found}
    for name, value in named.items():
        _require_cost(f"hops.{hop}.{name}", value, may_be_zero=name != "cpu_us_per_event")
    return replace(DECLARED[hop], **named)


def _require_cost(name: str, value: Any, may_be_zero: bool) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not is_number or value < 0 or (value == 0 and not may_be_zero):
        raise Misconfigured(f"a benchmark's {name} is not a number {'from' if may_be_zero else 'above'} 0: {value!r}")
