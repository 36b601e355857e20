"""Records of the four change topics: typed rows of the change logs, or a fault."""

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from concord.contracts.model import Column, Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import CDC_METADATA, TABLES
from concord.contracts.types import BigInt, Boolean, Category, Date, Decimal, Instant, Integer
from concord.contracts.wire import (
    BOOLEAN_PATTERN,
    DATE_PATTERN,
    INSTANT_PATTERN,
    INTEGER_PATTERN,
    STORABLE_YEARS,
    exact_decimal_pattern,
)
from concord.dialects.spark import change_columns, change_parse_schema
from concord.speed.records import ORIGINAL, POSITION

IS_TOMBSTONE = "is_tombstone"
FAULT = "fault"
"""Null, or JSON pointer to the field at fault; empty for the whole record."""
CORRUPT = "_corrupt_record"
NAMES = "_names"
"""Of the record's members: Debezium sends nulls, so what is not there was dropped or renamed in PostgreSQL."""
METADATA = tuple(column.name for column in CDC_METADATA)
OPERATIONS = next(column.type.values for column in CDC_METADATA if isinstance(column.type, Category))


def parsed(records: DataFrame) -> DataFrame:
    """One row per positioned record: its fault and then its bytes, the position, and one struct per table.

    The struct of the record's own table holds the change's columns, the others are null. A record
    without a value is a tombstone: no struct, no fault.
    """
    names = F.json_object_keys(F.col("value").cast("string")).alias(NAMES)
    read = records.select("*", names, *(_wire(table).alias(_wire_name(table)) for table in TABLES.values()))
    structs = [_change(table).alias(table.name) for table in TABLES.values()]
    typed = read.select("*", *structs)
    judged = typed.withColumn(FAULT, _fault())
    original = F.when(F.col(FAULT).isNotNull(), F.col("value")).alias(ORIGINAL)
    is_tombstone = F.col("value").isNull().alias(IS_TOMBSTONE)
    return judged.select(original, is_tombstone, FAULT, *TABLES, *POSITION)


def _wire_name(table: Dataset) -> str:
    return f"{table.name}_wire"


def _is_of(table: Dataset) -> SparkColumn:
    return (F.col("_topic") == cdc_topic(table)) & F.col("value").isNotNull()


def _wire(table: Dataset) -> SparkColumn:
    schema = StructType([*change_parse_schema(table).fields, StructField(CORRUPT, StringType())])
    text = F.col("value").cast("string")
    return F.when(_is_of(table), F.from_json(text, schema, {"columnNameOfCorruptRecord": CORRUPT}))


def _change(table: Dataset) -> SparkColumn:
    return F.when(_is_of(table), F.struct(*change_columns(table, _wire_name(table))))


def _fault() -> SparkColumn:
    return F.coalesce(*(F.when(_is_of(table), _fault_of(table)) for table in TABLES.values()))


def _fault_of(table: Dataset) -> SparkColumn:
    """The first fault of the record, null if there is none."""
    wire, is_delete = F.col(_wire_name(table)), F.col(f"{_wire_name(table)}.__op") == "d"
    fields = [_field_fault(table, column, is_delete) for column in table.columns]
    lost = [wire[name].isNotNull() & F.col(f"{table.name}.{name}").isNull() for name in METADATA]
    return F.coalesce(
        F.when(wire.isNull() | wire[CORRUPT].isNotNull(), F.lit("")),
        F.when(~F.coalesce(wire["__op"].isin(*OPERATIONS), F.lit(False)), F.lit("/__op")),
        *fields,
        *(F.when(is_lost, F.lit(f"/{name}")) for name, is_lost in zip(METADATA, lost, strict=True)),
    )


def _field_fault(table: Dataset, column: Column, is_delete: SparkColumn) -> SparkColumn:
    sent = F.col(f"{_wire_name(table)}.{column.name}")
    value = F.col(f"{table.name}.{column.name}")
    is_missing = F.lit(False) if column.may_be_absent else ~F.array_contains(NAMES, column.name)
    is_null = F.lit(False) if column.nullable else sent.isNull()
    is_lost = sent.isNotNull() & (value.isNull() | ~_is_exact(column, sent, value))
    matters = F.lit(True) if column.name in table.key else ~is_delete
    return F.when(matters & (is_missing | is_null | is_lost), F.lit(f"/{column.name}"))


def _is_exact(column: Column, sent: SparkColumn, value: SparkColumn) -> SparkColumn:
    """Nothing was rounded or guessed to make the sent text a value."""
    match column.type:
        case Decimal(precision, scale):
            return sent.rlike(_whole(exact_decimal_pattern(precision, scale)))
        case Instant():
            return sent.rlike(_whole(INSTANT_PATTERN)) & F.year(value).between(*STORABLE_YEARS)
        case Date():
            return sent.rlike(_whole(DATE_PATTERN.replace("$", "Z?$")))
        case BigInt() | Integer():
            return sent.rlike(_whole(INTEGER_PATTERN))
        case Boolean():
            return sent.rlike(_whole(BOOLEAN_PATTERN))
        case _:
            return F.lit(True)


def _whole(pattern: str) -> str:
    """For Java ``$`` stands before a last line break, too."""
    return pattern.removesuffix("$") + r"\z"
