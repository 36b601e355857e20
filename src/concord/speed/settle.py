"""The last word on a micro-batch of events: doubtful records are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.events import EVENTS
from concord.dialects.arrow import pieces
from concord.rules.quality import Accepted, Rejected, judge
from concord.speed.dead_letters import dead_letters
from concord.speed.lines import typed
from concord.speed.records import BATCH_AT, IN_ORDER, ORIGINAL, POSITION
from concord.speed.validate import IS_LARGE, LINE

MAX_CHUNK_BYTES = 1 << 30
"""Arrow counts the bytes of a chunk of texts with 31 bits."""


@dataclass(frozen=True)
class Settled:
    """Valid events, dead letters, and where the records lie that came without their bytes because they are large."""

    events: pa.Table
    dead: pa.Table
    large: pa.Table


def settled(records: pa.Table) -> Settled:
    """Some records as :func:`concord.speed.validate.validated` leaves them, told apart, in no order."""
    is_sure = pc.is_valid(records[LINE])
    is_elsewhere = pc.and_(records[IS_LARGE], pc.is_null(records[ORIGINAL]))
    sure = _placed(typed(records.filter(is_sure)[LINE]), records.filter(is_sure))
    doubtful = records.filter(pc.invert(pc.or_(is_sure, is_elsewhere)))
    verdicts = [(row, judge(row[ORIGINAL], row["_timestamp"])) for row in _doubtful_rows(doubtful)]
    accepted = [{**verdict.row(), **_position(row)} for row, verdict in verdicts if isinstance(verdict, Accepted)]
    rejected = [_dead_letter(row, verdict) for row, verdict in verdicts if isinstance(verdict, Rejected)]
    events = pa.concat_tables([sure, pa.Table.from_pylist(accepted, schema=sure.schema)])
    dead = dead_letters(rejected)
    return Settled(events, dead, records.filter(is_elsewhere).select(POSITION).cast(dead.select(POSITION).schema))


def in_kafkas_order(rows: pa.Table) -> pa.Table:
    """The rows in the order of their positions, whatever their number of bytes."""
    if rows.nbytes <= MAX_CHUNK_BYTES:
        return rows.sort_by(IN_ORDER)
    ordered = rows.cast(_wide(rows.schema)).sort_by(IN_ORDER)
    return pa.concat_tables([piece.cast(rows.schema) for piece in pieces(ordered, MAX_CHUNK_BYTES)])


def _wide(schema: pa.Schema) -> pa.Schema:
    """The schema with texts whose bytes are counted with 63 bits."""
    return pa.schema([field.with_type(pa.large_string()) if field.type == pa.string() else field for field in schema])


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
