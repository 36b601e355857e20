"""Records of the events topic: native Spark accepts what is surely valid and leaves the rest doubtful."""

from collections.abc import Iterable
from functools import reduce
from operator import and_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from concord.contracts.events import MAX_CLOCK_AHEAD_SECONDS
from concord.rules.documents import MAX_RECORD_BYTES
from concord.rules.quality import EARLIEST_EVENT
from concord.speed.lexical import DELIMITER, INSTANTS, MAX_BYTES, in_any_order, in_order, line_template
from concord.speed.records import ORIGINAL, POSITION

LINE = "line"
"""The values of a surely valid event, as :func:`concord.speed.lines.typed` reads them; null if it is doubtful."""
TEXT = "text"
IS_LARGE = "is_large"
"""Whether a record has more bytes than any event may have: it is a dead letter, whatever it says."""


def validated(records: DataFrame) -> DataFrame:
    """One row per positioned record: ``line`` or, of a doubtful one, ``original``; is it large; what every step carries.

    A document with its fields in order is matched once; only what does not match is tried in any order.
    """
    lines = _with_lines(records.select("value", *POSITION, _text().alias(TEXT)))
    timed = lines.select("value", *POSITION, LINE, *(_moment(index).alias(c.name) for index, c in enumerate(INSTANTS)))
    line = F.when(_all(_is_possible(F.col(column.name)) for column in INSTANTS), F.col(LINE))
    judged = timed.select("value", *POSITION, line.alias(LINE))
    original = F.when(F.col(LINE).isNull(), F.col("value")).alias(ORIGINAL)
    return judged.select(LINE, original, _is_large().alias(IS_LARGE), *POSITION)


def without_large_originals(records: DataFrame) -> DataFrame:
    """All records, the large ones without their bytes: so many of them would fit into no memory side by side."""
    return records.withColumn(ORIGINAL, F.when(~F.col(IS_LARGE), F.col(ORIGINAL)))


def large_ones(records: DataFrame) -> DataFrame:
    """The large records alone, with their bytes."""
    return records.where(IS_LARGE)


def _is_large() -> SparkColumn:
    return F.coalesce(F.octet_length("value") > MAX_RECORD_BYTES, F.lit(False))


def _text() -> SparkColumn:
    return F.when(F.octet_length("value") <= MAX_BYTES, F.col("value").cast("string"))


def _with_lines(records: DataFrame) -> DataFrame:
    """Every step refers to the one before more than once, so Spark keeps them apart and computes each once."""
    tried = records.withColumn("tried", F.regexp_replace(TEXT, in_order(), line_template()))
    other = F.when(F.col("tried") == F.col(TEXT), F.col(TEXT))
    tried_twice = tried.withColumn("again", F.regexp_replace(other, in_any_order(), line_template()))
    line = F.coalesce("again", "tried")
    return tried_twice.withColumn(LINE, F.when(line != F.col(TEXT), line))


def _moment(index: int) -> SparkColumn:
    """The nth value of the line; one that is not given is as good as the earliest, and no day at all is null.

    Without a zone Spark reads it in the session's, which is UTC, and does not look the zone up every time.
    """
    value = F.substring_index(F.substring_index(LINE, DELIMITER, index + 1), DELIMITER, -1)
    text = F.substring_index(value, "Z", 1)
    return F.when(text == "", F.lit(EARLIEST_EVENT)).otherwise(text.cast("timestamp"))


def _is_possible(moment: SparkColumn) -> SparkColumn:
    """Between the earliest year and a little after receipt."""
    latest = F.col("_timestamp") + F.expr(f"interval {MAX_CLOCK_AHEAD_SECONDS} seconds")
    return moment.between(F.lit(EARLIEST_EVENT), latest)


def _all(conditions: Iterable[SparkColumn]) -> SparkColumn:
    return reduce(and_, conditions)
