"""Arrow: schemas of the declared datasets, as Spark's workers and the speed layer's store see them."""

import pyarrow as pa

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
