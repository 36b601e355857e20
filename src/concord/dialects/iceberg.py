"""Iceberg: column types and partitions of the lake's tables, as words that any client understands."""

import re

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.documents import DOCUMENT_SUBJECTS, DOCUMENTS
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.lake_metrics import JOB_RUNS, LAKE_METRICS
from concord.contracts.model import Dataset
from concord.contracts.tables import TABLES, as_landed, as_mirror, in_lake
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

LANDED_DATASETS: tuple[Dataset, ...] = (
    in_lake(EVENTS_LANDING),
    *(in_lake(as_landed(table)) for table in TABLES.values()),
)
"""What the sink connectors write; the tables must be there before the connectors."""

BATCH_DATASETS: tuple[Dataset, ...] = (in_lake(EVENTS), in_lake(DEAD_LETTERS))
"""What the batch layer makes of what has landed."""

MIRRORS: tuple[Dataset, ...] = tuple(in_lake(as_mirror(table)) for table in TABLES.values())
"""The shop's tables as they are now; named as PostgreSQL names them."""

UNSTRUCTURED: tuple[Dataset, ...] = (DOCUMENTS, DOCUMENT_SUBJECTS)
"""What people put there by hand."""

METRICS: tuple[Dataset, ...] = tuple(LAKE_METRICS.values())
"""What Spark computes from mirrors and events."""

LAKE_DATASETS = (*LANDED_DATASETS, *BATCH_DATASETS, *MIRRORS, *UNSTRUCTURED, *METRICS, JOB_RUNS)
"""Every table of the lake."""

TABLE_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "snappy",
    "write.metadata.compression-codec": "gzip",
    "write.target-file-size-bytes": str(128 << 20),
    "commit.retry.num-retries": "4",
    "commit.retry.min-wait-ms": "100",
    **{f"write.{operation}.isolation-level": "serializable" for operation in ("delete", "update", "merge")},
}
"""Of every table. Serializable: a row that another writer has added meanwhile makes a statement give way, too."""


def type_name(logical: LogicalType) -> str:
    """Iceberg's own spelling. A UUID stays text because the sink delivers text."""
    match logical:
        case BigInt():
            return "long"
        case Integer():
            return "int"
        case Decimal(precision, scale):
            return f"decimal({precision}, {scale})"
        case Instant():
            return "timestamptz"
        case Date():
            return "date"
        case Boolean():
            return "boolean"
        case Binary():
            return "binary"
        case Text() | Category() | Json() | Uuid():
            return "string"
    raise TypeError(f"no Iceberg type for {logical}")


_DECIMAL = re.compile(r"decimal\((\d+), (\d+)\)")


def widens(was: str, now: str) -> bool:
    """True if Iceberg promotes one type to the other: old files are read as they are."""
    old, new = _DECIMAL.fullmatch(was), _DECIMAL.fullmatch(now)
    if old and new:
        return old[2] == new[2] and int(old[1]) < int(new[1])
    return (was, now) == ("int", "long")


def column_types(dataset: Dataset) -> list[tuple[str, str, bool]]:
    """(name, type, required), in the contract's order."""
    return [(column.name, type_name(column.type), not column.nullable) for column in dataset.columns]


def partition_transform(dataset: Dataset) -> tuple[str, str] | None:
    """(column, transform): a day of an instant, a date as it is; None for an unpartitioned table."""
    if dataset.partition is None:
        return None
    is_date = isinstance(dataset[dataset.partition].type, Date)
    return dataset.partition, "identity" if is_date else "day"
