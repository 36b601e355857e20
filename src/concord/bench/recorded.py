"""Recorded visits: a file of events with the places in their bytes at which identity and times are written anew.

Replayed in rounds, each under fresh identities, a file of some hundred thousand events makes any number of them.
"""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from concord.contracts.events import EventType
from concord.errors import Misconfigured

NOWHERE = -1
"""The place of what a broken record does not have."""

COLUMNS: dict[str, pa.DataType] = {
    "key": pa.large_binary(),
    "value": pa.large_binary(),
    "fate": pa.int8(),
    "event_type": pa.string(),
    "reason": pa.string(),
    "original": pa.int32(),
    "happened": pa.int32(),
    "late_ms": pa.int64(),
    "content": pa.uint64(),
    "cents": pa.int64(),
    "added": pa.uint64(),
    "id_at": pa.int32(),
    "head_at": pa.int32(),
    "occurred_at": pa.int32(),
    "received_at": pa.int32(),
}
"""One row per record in the order of sending.

``original`` is the row it is a copy of, else its own; ``happened`` the row at whose time it happened; ``content``,
``cents`` and ``added`` are those of :mod:`concord.bench.content`; the places (``…_at``) are bytes from the beginning of
the value.
"""
SCHEMA = pa.schema(COLUMNS)
FORMAT = 2
"""Part of the names of files that are kept: what an earlier version has recorded is recorded anew."""
SEED = b"seed"
"""The key in the file's metadata: the shop of this seed was visited."""


class Fate(IntEnum):
    """What must become of a record."""

    STORED = 0
    LATE = 1
    DUPLICATE = 2
    DEAD = 3


@dataclass(frozen=True)
class Recorded:
    """A file of recorded visits in memory."""

    rows: pa.Table

    def __len__(self) -> int:
        return self.rows.num_rows

    @property
    def seed(self) -> int:
        return int(self.rows.schema.metadata[SEED])

    @cached_property
    def bytes_per_event(self) -> float:
        return float(self.ends[-1]) / len(self)

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        """Where values begin and end in :attr:`data`: value ``i`` lies between ``ends[i]`` and ``ends[i + 1]``."""
        return self._buffer(1, np.int64)[: len(self) + 1]

    @cached_property
    def data(self) -> npt.NDArray[np.uint8]:
        return self._buffer(2, np.uint8)

    def _buffer(self, number: int, kind: Any) -> npt.NDArray[Any]:
        """Arrow's own memory: offsets are the second buffer of its column, bytes the third."""
        return np.frombuffer(self._joined.buffers()[number], kind)

    @cached_property
    def is_null(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self._joined.is_null())

    @cached_property
    def keys(self) -> list[bytes]:
        keys: list[Any] = self.rows["key"].to_pylist()
        return keys

    @cached_property
    def type_numbers(self) -> npt.NDArray[np.int64]:
        """Each record's type as its place among the event types."""
        places = {str(event_type): place for place, event_type in enumerate(EventType)}
        return np.array([places[str(name)] for name in self.rows["event_type"].to_pylist()], np.int64)

    @cached_property
    def reasons(self) -> npt.NDArray[np.object_]:
        return np.array(self.rows["reason"].to_pylist(), object)

    def numbers(self, column: str) -> npt.NDArray[np.int64]:
        """A column as signed integers."""
        if column not in self._cached:
            self._cached[column] = self.rows[column].to_numpy().astype(np.int64)
        return self._cached[column]

    def fates(self, count: int) -> dict[str, int]:
        """How many of the first ``count`` records of a replay have which fate."""
        found = self._counts("fate", count)
        return {each.name.lower(): found.get(each, 0) for each in Fate}

    def reason_counts(self, count: int) -> dict[str, int]:
        """How many of the first ``count`` records of a replay are dead letters for which reason."""
        return {reason: found for reason, found in self._counts("reason", count).items() if reason is not None}

    def type_counts(self, count: int) -> dict[str, int]:
        """How many of the first ``count`` records of a replay are of which event type, broken ones included."""
        return self._counts("event_type", count)

    def _counts(self, column: str, count: int) -> dict[Any, int]:
        rounds, rest = divmod(count, len(self))
        values = self.rows[column].to_pylist()
        whole, part = Counter(values), Counter(values[:rest])
        return {value: whole[value] * rounds + part[value] for value in whole}

    @cached_property
    def _cached(self) -> dict[str, npt.NDArray[np.int64]]:
        return {}

    @cached_property
    def _joined(self) -> Any:
        return self.rows["value"].combine_chunks()


def write(path: Path, rows: pa.Table) -> None:
    """One batch, so that reading it back copies nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())


def read(path: Path) -> Recorded:
    """The recorded visits of a file. Raises :class:`Misconfigured` if it is none."""
    try:
        with pa.memory_map(str(path)) as source:
            rows = pa.ipc.open_file(source).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise Misconfigured(f"{path} holds no recorded events: {error}", f"concord bench events {path}") from None
    if rows.schema.names != SCHEMA.names or not rows.num_rows:
        raise Misconfigured(f"{path} holds other columns than recorded events", f"concord bench events {path}")
    return Recorded(rows)
