"""The last word on a micro-batch of events: doubtful records are judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.events import EVENTS
from concord.rules.quality import Accepted, Rejected, judge
from concord.speed.dead_letters import dead_letters
from concord.speed.lines import typed
from concord.speed.records import BATCH_AT, IN_ORDER, ORIGINAL, POSITION
from concord.speed.validate import LINE


@dataclass(frozen=True)
class Settled:
    """Valid events, and dead letters."""

    events: pa.Table
    dead: pa.Table


def settled(records: pa.Table) -> Settled:
    """Some records as :func:`concord.speed.validate.validated` leaves them → events and dead letters, in no order."""
    is_sure = pc.is_valid(records[LINE])
    sure = _placed(typed(records.filter(is_sure)[LINE]), records.filter(is_sure))
    doubtful = records.filter(pc.invert(is_sure))
    verdicts = [(row, judge(row[ORIGINAL], row["_timestamp"])) for row in _doubtful_rows(doubtful)]
    accepted = [{**verdict.row(), **_position(row)} for row, verdict in verdicts if isinstance(verdict, Accepted)]
    rejected = [_dead_letter(row, verdict) for row, verdict in verdicts if isinstance(verdict, Rejected)]
    events = pa.concat_tables([sure, pa.Table.from_pylist(accepted, schema=sure.schema)])
    return Settled(events, dead_letters(rejected))


def together(parts: Sequence[Settled]) -> Settled:
    """What was settled of each part of a micro-batch, as one in Kafka's order."""
    events = pa.concat_tables([part.events for part in parts]).sort_by(IN_ORDER)
    return Settled(events, pa.concat_tables([part.dead for part in parts]).sort_by(IN_ORDER))


def _placed(events: pa.Table, records: pa.Table) -> pa.Table:
    """Rows of ``events``: the typed values with the position of their records."""
    columns = [events[name] if name in events.column_names else records[name] for name in EVENTS.names]
    return pa.table(columns, names=list(EVENTS.names))


def _doubtful_rows(doubtful: pa.Table) -> list[dict[str, Any]]:
    return doubtful.select([ORIGINAL, *POSITION, BATCH_AT]).to_pylist()


def _position(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in POSITION}


def _dead_letter(row: Mapping[str, Any], verdict: Rejected) -> dict[str, Any]:
    return {
        "reason": str(verdict.reason),
        "pointer": verdict.pointer,
        "detail": verdict.detail,
        "original": row[ORIGINAL],
        "first_seen_at": row[BATCH_AT],
        **_position(row),
    }
