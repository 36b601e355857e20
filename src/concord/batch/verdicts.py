"""Every record that has landed is judged by itself, by the one judge that both layers ask.

The stream's native validation is not used here: it only spares the judge the records that are surely
valid, and whether it does so rightly shows where the two layers are compared.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.tables import POSITION_COLUMNS
from concord.dialects.arrow import arrow_schema
from concord.rules.quality import Accepted, judge

FAULT = tuple(DEAD_LETTERS[name] for name in ("reason", "pointer", "detail", "original"))
VALUES = tuple(column for column in EVENTS.columns if column not in POSITION_COLUMNS)

VERDICTS = Dataset(
    name="verdicts",
    description="One row per landed record: an event's columns, or what is wrong with it.",
    columns=(*(replace(column, nullable=True) for column in (*VALUES, *FAULT)), *POSITION_COLUMNS),
    key=("_topic", "_partition", "_offset"),
)
_JUDGED = pa.schema([field for field in arrow_schema(VERDICTS) if field.name not in {c.name for c in POSITION_COLUMNS}])


def verdicts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Records with ``value`` and position → rows of ``VERDICTS``, in the same order."""
    for batch in batches:
        received = zip(batch["value"].to_pylist(), batch["_timestamp"].to_pylist(), strict=True)
        judged = pa.RecordBatch.from_pylist([_row(value, at) for value, at in received], schema=_JUDGED)
        position = [batch[column.name] for column in POSITION_COLUMNS]
        yield pa.RecordBatch.from_arrays([*judged.columns, *position], names=list(VERDICTS.names))


def _row(value: bytes | None, received_at: Any) -> Mapping[str, Any]:
    verdict = judge(value, received_at)
    if isinstance(verdict, Accepted):
        return verdict.row()
    return {"reason": verdict.reason, "pointer": verdict.pointer, "detail": verdict.detail, "original": value}
