"""Arrow: schemas of the declared datasets, as Spark's workers and the speed layer's store see them."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.model import Dataset
from concord.contracts.types import (
    BigInt,
    Binary,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    Json,
    LogicalType,
    Text,
    Uuid,
)


def data_type(logical: LogicalType) -> pa.DataType:
    match logical:
        case BigInt():
            return pa.int64()
        case Integer():
            return pa.int32()
        case Decimal(precision, scale):
            return pa.decimal128(precision, scale)
        case Instant():
            return pa.timestamp("us", "UTC")
        case Date():
            return pa.date32()
        case Boolean():
            return pa.bool_()
        case Binary():
            return pa.binary()
        case Text() | Category() | Json() | Uuid():
            return pa.string()
    raise TypeError(f"no Arrow type for {logical}")


def arrow_schema(dataset: Dataset) -> pa.Schema:
    """The dataset's columns, in order."""
    return pa.schema([pa.field(c.name, data_type(c.type), c.nullable) for c in dataset.columns])


def pieces(rows: pa.Table, most_bytes: int) -> Iterator[pa.Table]:
    """The rows in order, halved until a piece has at most so many bytes of values, or one row.

    Where it is cut depends on the values alone, not on how they came to be in one table.
    """
    if rows.num_rows <= 1 or rows.nbytes <= most_bytes or _bytes_of_values(rows) <= most_bytes:
        yield rows
        return
    middle = rows.num_rows // 2
    yield from pieces(rows.slice(0, middle), most_bytes)
    yield from pieces(rows.slice(middle), most_bytes)


def _bytes_of_values(rows: pa.Table) -> int:
    """Without offsets and marks of nulls, of which Arrow may have more or fewer for the same rows."""
    return sum(_width(values) for values in rows.itercolumns())


def _width(values: Any) -> int:
    kind = values.type
    if pa.types.is_unicode(kind) or pa.types.is_large_unicode(kind) or pa.types.is_binary(kind):
        return int(pc.sum(pc.binary_length(values)).as_py() or 0)
    return len(values) * int(kind.bit_width) // 8
