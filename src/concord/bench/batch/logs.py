"""Change logs as Arrow tables, before and after Kafka has given them a place."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from concord.contracts.model import Dataset
from concord.contracts.names import TOPIC_PARTITIONS, cdc_topic
from concord.contracts.tables import MONEY, POSITION_COLUMNS, as_change
from concord.dialects.arrow import arrow_schema

compute: Any = pyarrow.compute
"""Its stubs know fewer kinds of arguments than it takes."""
Values = Any
"""An array of Arrow."""
Numbers = npt.NDArray[np.int64]
Logs = Mapping[str, pa.Table]
"""Changes by table, in order of time; without a position until they are :meth:`Offsets.placed`."""

HANDLED_AFTER_MS = 40
"""How long after the commit the connector handles a change."""
ARRIVAL_MS = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp() * 1000)
"""Kafka took everything on one day, as it takes a backlog: the lake splits change logs by the day of arrival."""
POSITION = tuple(column.name for column in POSITION_COLUMNS)


def changes(table: Dataset, op: str, at_ms: Numbers, columns: Mapping[str, Values]) -> pa.Table:
    """One change per row, committed at ``at_ms``; columns that are not given are null."""
    given = {
        **columns,
        "__op": pa.repeat(op, len(at_ms)),
        "__source_ts_ms": instants(at_ms),
        "__ts_ms": instants(at_ms + HANDLED_AFTER_MS),
    }
    schema = log_schema(table)
    arrays = [
        given[field.name].cast(field.type) if field.name in given else pa.nulls(len(at_ms), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def in_order(table: Dataset, *parts: pa.Table) -> pa.Table:
    """All of them, in order of time, with a log position each."""
    rows = pa.concat_tables(parts)
    rows = rows.take(compute.sort_indices(rows, sort_keys=[("__source_ts_ms", "ascending"), ("id", "ascending")]))
    at = log_schema(table).get_field_index("__source_lsn")
    return rows.set_column(at, log_schema(table).field(at), pa.array(np.arange(1, rows.num_rows + 1)))


def log_schema(table: Dataset) -> pa.Schema:
    """Of a change that has no position yet. Every column may be null: a delete has its key alone."""
    fields = arrow_schema(as_change(table))
    return pa.schema([field.with_nullable(True) for field in fields if field.name not in POSITION])


def split(logs: Logs, at_ms: int) -> tuple[Logs, Logs]:
    """What happened before that moment, and the rest."""
    before = {name: compute.less(rows["__source_ts_ms"], moment(at_ms)) for name, rows in logs.items()}
    return (
        {name: rows.filter(before[name]) for name, rows in logs.items()},
        {name: rows.filter(compute.invert(before[name])) for name, rows in logs.items()},
    )


def count(logs: Logs) -> int:
    return sum(rows.num_rows for rows in logs.values())


@dataclass
class Offsets:
    """Where the next record of each partition lies. A key stays in its partition."""

    next: Counter[tuple[str, int]] = field(default_factory=Counter)

    def placed(self, table: Dataset, rows: pa.Table) -> pa.Table:
        """The changes with the position that one producer's sending in this order gives them."""
        partition = partition_of(rows)
        offset = np.zeros(rows.num_rows, dtype=np.int64)
        for number in range(TOPIC_PARTITIONS):
            its = partition == number
            first = self.next[table.name, number]
            offset[its] = np.arange(first, first + its.sum())
            self.next[table.name, number] += int(its.sum())
        topic = pa.repeat(cdc_topic(table), rows.num_rows)
        # A thousandth of a second for each ten records of a partition.
        arrived = instants(ARRIVAL_MS + offset // 10)
        place = (topic, pa.array(partition.astype(np.int32)), pa.array(offset), arrived)
        for name, values in zip(POSITION, place, strict=True):
            rows = rows.append_column(name, values)
        return rows


def partition_of(rows: pa.Table) -> Numbers:
    return np.asarray(rows["id"].to_numpy()) % TOPIC_PARTITIONS


def instants(ms: Numbers) -> Values:
    return pa.array(ms * 1000).cast(pa.timestamp("us", "UTC"))


def moment(ms: int) -> Values:
    return pa.scalar(ms * 1000, pa.int64()).cast(pa.timestamp("us", "UTC"))


def epoch_ms(instants: Values) -> Numbers:
    return np.asarray(instants.cast(pa.int64()).to_numpy()) // 1000


def money(cents: Numbers) -> Values:
    """Exact amounts of so many cents: a decimal is a whole number of 16 bytes."""
    words = np.empty((len(cents), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = cents, cents >> 63
    kind = pa.decimal128(MONEY.precision, MONEY.scale)
    return pa.Array.from_buffers(kind, len(cents), [None, pa.py_buffer(words.tobytes())])
