"""Change logs out of the lake: a landed record is a typed row of its table, or it is set aside with a reason.

What is set aside stays where it has landed and is judged again whenever it is read, so that a contract which
has room for it later brings it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from concord.contracts.model import Column, Dataset
from concord.contracts.tables import POSITION_COLUMNS, as_change
from concord.contracts.types import TEXT
from concord.dialects.arrow import arrow_schema
from concord.dialects.spark import struct
from concord.rules.changes import UnfitChange, change_reader

FILE = Column("file_name", TEXT, description="The lake file that the record lies in.")
POINTER = Column("fault_pointer", TEXT, nullable=True, description="JSON pointer to what is wrong; null if nothing is.")
DETAIL = Column("fault_detail", TEXT, nullable=True, description="What is wrong, in words.")
FAULT = (POINTER, DETAIL)
PASSED_ON = (*POSITION_COLUMNS, FILE)


@dataclass(frozen=True)
class Judge:
    """Landed records → verdicts, in the same order. Runs in Spark's workers."""

    table: Dataset

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([field for field in arrow_schema(verdicts(self.table)) if field.name not in _PASSED_ON])
        read = change_reader(self.table)

        def verdict(record: Any) -> dict[str, Any]:
            try:
                return read(record)
            except UnfitChange as fault:
                return {POINTER.name: fault.pointer, DETAIL.name: fault.detail}

        for batch in batches:
            rows = [verdict(record) for record in batch["value"].to_pylist()]
            judged = pa.RecordBatch.from_pylist(rows, schema=schema)
            passed = [batch[column.name] for column in PASSED_ON]
            yield pa.RecordBatch.from_arrays([*judged.columns, *passed], names=list(verdicts(self.table).names))


_PASSED_ON = tuple(column.name for column in PASSED_ON)


@lru_cache(maxsize=16)
def verdicts(table: Dataset) -> Dataset:
    """One row per landed record: the change, or what is wrong with it."""
    change = [column for column in as_change(table).columns if column.name not in _PASSED_ON]
    judged = (replace(column, nullable=True) for column in (*change, *FAULT))
    return Dataset(f"{table.name}_verdicts", (*judged, *PASSED_ON), key=("_topic", "_partition", "_offset"))


def received(landed: DataFrame) -> DataFrame:
    """The landed records that say something; one without a value is a tombstone."""
    return landed.where(F.col("value").isNotNull())


def judged(records: DataFrame, table: Dataset) -> DataFrame:
    """Landed records of a table, by their names outside of the lake, as verdicts."""
    return received(records).select("value", *_PASSED_ON).mapInArrow(Judge(table), struct(verdicts(table)))


def sound(judged: DataFrame) -> DataFrame:
    """The records that are rows of their table."""
    return judged.where(F.col(POINTER.name).isNull()).drop(*(column.name for column in FAULT))
