"""Records of the events topic: native Spark accepts what is surely valid and marks the rest doubtful."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import and_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

from concord.contracts.events import (
    EVENT_TYPES,
    EVENTS,
    IDENTITY,
    MAX_CLOCK_AHEAD_SECONDS,
    REQUIRES_USER,
    EventType,
)
from concord.contracts.model import Column
from concord.contracts.tables import POSITION_COLUMNS
from concord.contracts.types import BigInt, Decimal, Instant, Integer, Json, Uuid
from concord.contracts.wire import integer_bounds
from concord.dialects.spark import data_type
from concord.rules.quality import EARLIEST_EVENT
from concord.speed.lexical import MAX_BYTES, document_pattern, text_pattern
from concord.speed.records import CARRIED, ORIGINAL

IS_SURE = "is_sure"

FIELDS = tuple(column for column in EVENTS.columns if column not in POSITION_COLUMNS)
JSON_FIELDS = tuple(column for column in FIELDS if isinstance(column.type, Json))
INTEGERS = tuple(column for column in FIELDS if isinstance(column.type, BigInt | Integer))
INSTANTS = tuple(column for column in FIELDS if isinstance(column.type, Instant))


def validated(records: DataFrame) -> DataFrame:
    """One row per positioned record: ``is_sure``, ``original``, and the columns of ``events``.

    A sure row is typed and needs no further look; of a doubtful one only ``original`` and the
    position mean anything.
    """
    text = F.col("value").cast("string")
    parsed = records.select("value", *CARRIED, text.alias("text"), F.from_json(text, _wire_schema()).alias("wire"))
    typed = parsed.select("value", *CARRIED, "text", "wire", *(_typed(column).alias(column.name) for column in FIELDS))
    judged = typed.withColumn(IS_SURE, F.coalesce(_is_sure(), F.lit(False)))
    doubtful_bytes = F.when(~F.col(IS_SURE), F.col("value")).alias(ORIGINAL)
    return judged.select(IS_SURE, doubtful_bytes, *(column.name for column in FIELDS), *CARRIED)


def _wire_schema() -> StructType:
    """Integers by their type, everything else as text; a JSON field is cut out of the document itself."""
    return StructType([StructField(c.name, _wire_type(c)) for c in FIELDS if c not in JSON_FIELDS])


def _wire_type(column: Column) -> LongType | IntegerType | StringType:
    match column.type:
        case BigInt():
            return LongType()
        case Integer():
            return IntegerType()
        case _:
            return StringType()


def _typed(column: Column) -> SparkColumn:
    value = F.col(f"wire.{column.name}")
    match column.type:
        case Json():
            text = F.regexp_extract("text", text_pattern(column.name), 1)
            return F.when(text != "", text)
        case Instant():
            return F.timestamp_millis(F.unix_millis(value.cast(data_type(column.type))))
        case Decimal():
            return value.cast(data_type(column.type))
        case Uuid():
            return F.lower(value)
        case _:
            return value


def _is_sure() -> SparkColumn:
    return _all([F.octet_length("value") <= MAX_BYTES, _is_valid_form(), *_rules()])


def _is_valid_form() -> SparkColumn:
    """Matches its own type's expression; a record whose type is none of ours matches nothing."""
    return _by_type(lambda event_type: F.col("text").rlike(document_pattern(event_type)))


def _rules() -> Iterable[SparkColumn]:
    """What form alone does not say."""
    yield _has_no_field_twice()
    yield reduce(lambda left, right: left | right, (F.col(name).isNotNull() for name in IDENTITY))
    yield _has_required_fields()
    yield from (_is_in_bounds(column) for column in FIELDS if column in INTEGERS)
    yield from (_is_short_enough(column) for column in FIELDS if column.max_length is not None)
    yield from (_is_possible_time(column) for column in INSTANTS)


def _has_no_field_twice() -> SparkColumn:
    names = F.json_object_keys("text")
    return F.size(F.array_distinct(names)) == F.size(names)


def _has_required_fields() -> SparkColumn:
    return _by_type(lambda event_type: _all([F.col(name).isNotNull() for name in _required(event_type)]))


def _required(event_type: EventType) -> list[str]:
    needs_user = ["user_id"] if event_type in REQUIRES_USER else []
    return [column.name for column in EVENT_TYPES[event_type].columns if not column.nullable] + needs_user


def _is_in_bounds(column: Column) -> SparkColumn:
    value = F.col(column.name)
    lowest, highest = integer_bounds(64)
    minimum = lowest if column.minimum is None else column.minimum
    maximum = highest if column.maximum is None else column.maximum
    return value.isNull() | value.between(minimum, maximum)


def _is_short_enough(column: Column) -> SparkColumn:
    return F.col(column.name).isNull() | (F.length(column.name) <= F.lit(column.max_length))


def _is_possible_time(column: Column) -> SparkColumn:
    """Between the earliest year and a little after receipt; text that is no time has no typed value.

    The value is cut to milliseconds, so one that equals the upper bound may lie beyond it: doubtful.
    """
    value = F.col(column.name)
    latest = F.col("_timestamp") + F.expr(f"interval {MAX_CLOCK_AHEAD_SECONDS} seconds")
    is_possible = (value >= F.lit(EARLIEST_EVENT)) & (value < latest)
    return F.col(f"wire.{column.name}").isNull() | F.coalesce(is_possible, F.lit(False))


def _by_type(condition: Callable[[EventType], SparkColumn]) -> SparkColumn:
    """The condition of the record's own type; null for a type that is none of ours."""
    return F.coalesce(*(F.when(F.col("event_type") == str(each), condition(each)) for each in EventType))


def _all(conditions: list[SparkColumn]) -> SparkColumn:
    return reduce(and_, conditions)
