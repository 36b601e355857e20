"""Of which type the events of a micro-batch were, and what was wrong with those that were refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.events import EventType
from concord.rules.violations import Reason

EVENT_TYPE = "event_type"
UNTOLD = "unknown"
"""No type that there is can be read from the record."""
TOLD = r'"event_type"\s*:\s*"(?P<event_type>[A-Z_]{1,40})"'
FAULTS = [(kind, str(reason)) for kind in [*EventType, UNTOLD] for reason in Reason]
"""Every pair of type and reason that an event's dead letter may have."""
_TYPES = {each.value.encode(): each.value for each in EventType}


class Fate(StrEnum):
    """What became of a record."""

    STORED = "stored"
    DEAD = "dead"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True)
class KindCount:
    """How many records of one type had one fate. ``reason`` only for dead letters."""

    event_type: str
    fate: str
    count: int
    reason: str = ""


def kinds_of(settled: Mapping[Fate, pa.Table]) -> list[KindCount]:
    """Events with a column ``event_type``, by fate."""
    return [
        KindCount(row[EVENT_TYPE], fate, row["count_all"])
        for fate, rows in settled.items()
        for row in rows.select([EVENT_TYPE]).group_by([EVENT_TYPE]).aggregate([([], "count_all")]).to_pylist()
    ]


def dead_kinds(dead: pa.Table) -> list[KindCount]:
    """Dead letters by reason, and by type as far as their bytes tell one."""
    if not dead.num_rows:
        return []
    typed = pa.table({EVENT_TYPE: pa.array(_told_types(dead), pa.string()), "reason": dead["reason"].combine_chunks()})
    counted = typed.group_by([EVENT_TYPE, "reason"]).aggregate([([], "count_all")]).to_pylist()
    return [KindCount(row[EVENT_TYPE], Fate.DEAD, row["count_all"], row["reason"]) for row in counted]


def _told_types(dead: pa.Table) -> Iterator[str]:
    found = pc.struct_field(pc.extract_regex(dead["original"], pattern=TOLD), EVENT_TYPE)
    return (_TYPES.get(name, UNTOLD) for name in found.to_pylist())
