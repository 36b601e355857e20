"""Spark: schemas of the declared datasets, and a change record's way from JSON to columns."""

from pyspark.sql import Column as SparkColumn
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from concord.contracts.model import Column, Dataset
from concord.contracts.tables import CDC_METADATA, as_change
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
from concord.contracts.wire import STORABLE_MS


def data_type(logical: LogicalType) -> DataType:
    match logical:
        case BigInt():
            return LongType()
        case Integer():
            return IntegerType()
        case Decimal(precision, scale):
            return DecimalType(precision, scale)
        case Instant():
            return TimestampType()
        case Date():
            return DateType()
        case Boolean():
            return BooleanType()
        case Binary():
            return BinaryType()
        case Text() | Category() | Json() | Uuid():
            return StringType()
    raise TypeError(f"no Spark type for {logical}")


def struct(dataset: Dataset) -> StructType:
    """The dataset's schema with its declared types and nullability."""
    return StructType([StructField(c.name, data_type(c.type), c.nullable) for c in dataset.columns])


def change_parse_schema(table: Dataset) -> StructType:
    """For ``from_json`` of a change record: the row's values as text, whatever they are sent as, so that one of
    another type spoils no other.

    Debezium's own instants are milliseconds since the epoch.
    """
    metadata = [StructField(c.name, LongType() if _is_epoch(c) else data_type(c.type)) for c in CDC_METADATA]
    return StructType([*(StructField(name, StringType()) for name in table.names), *metadata])


def change_columns(table: Dataset, record: str = "record") -> list[SparkColumn]:
    """The parsed struct ``record`` as the change log's columns, all but the position's.

    A delete carries only its key, the rest is filler, so the rest becomes null.
    """
    is_delete = F.col(f"{record}.__op") == "d"
    rows = [_row_column(table, column, record, is_delete) for column in as_change(table).columns[: len(table.columns)]]
    return [*rows, *(_metadata_column(column, record) for column in CDC_METADATA)]


def _row_column(table: Dataset, column: Column, record: str, is_delete: SparkColumn) -> SparkColumn:
    value = _as_text(column, F.col(f"{record}.{column.name}")).cast(data_type(column.type))
    if column.name in table.key:
        return value.alias(column.name)
    return F.when(~is_delete, value).alias(column.name)


def _as_text(column: Column, sent: SparkColumn) -> SparkColumn:
    """Debezium puts a zone behind a date, and Spark would take that for no date."""
    return F.substring(sent, 1, len("yyyy-mm-dd")) if isinstance(column.type, Date) else sent


def _metadata_column(column: Column, record: str) -> SparkColumn:
    value = F.col(f"{record}.{column.name}")
    instant = F.when(value.between(*STORABLE_MS), F.timestamp_millis(value))
    return (instant if _is_epoch(column) else value).alias(column.name)


def _is_epoch(column: Column) -> bool:
    return isinstance(column.type, Instant)
