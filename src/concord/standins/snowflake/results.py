"""Results as drivers read them: Arrow columns in Snowflake's types and their description."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from concord.standins.snowflake.failures import Refused

NUMBER_PRECISION = 38
TEXT_LENGTH = 16_777_216
BINARY_LENGTH = 8_388_608
MICROSECONDS = 1_000_000
UTC_ZONE = 1440

Column: TypeAlias = "pa.Array[Any]"

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE = ("HUGEINT", "UHUGEINT", "UBIGINT")
_LOGICAL = {
    **dict.fromkeys((*_INTEGERS, *_WIDE), "fixed"),
    **dict.fromkeys(("VARCHAR", "UUID", '"NULL"', "NULL"), "text"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "real"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp_ntz"),
    "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
    "DATE": "date",
    "TIME": "time",
    "BOOLEAN": "boolean",
    "BLOB": "binary",
    "JSON": "variant",
}


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result: its name, Snowflake's type and the figures that go with it."""

    name: str
    type: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "precision": self.precision,
            "scale": self.scale,
            "length": self.length,
            "byteLength": self.length,
            "nullable": True,
            "database": "",
            "schema": "",
            "table": "",
            "collation": None,
        }

    def metadata(self) -> dict[str, str]:
        return {
            "logicalType": self.type.upper(),
            "precision": str(self.precision or NUMBER_PRECISION),
            "scale": str(self.scale or 0),
            "charLength": str(self.length or 0),
        }


def column_of(name: str, engine_type: str) -> ResultColumn:
    """Snowflake's type of a column. Lists and intervals have none: they are refused by name."""
    if decimal := _DECIMAL.fullmatch(engine_type):
        return ResultColumn(name, "fixed", int(decimal[1]), int(decimal[2]))
    kind = "text" if engine_type.startswith("ENUM") else _LOGICAL.get(engine_type)
    if kind is None:
        raise Refused(f"column {name}: the stand-in cannot return {engine_type}", 2040, "0A000")
    return _with_figures(name, kind)


def _with_figures(name: str, kind: str) -> ResultColumn:
    if kind == "fixed":
        return ResultColumn(name, kind, NUMBER_PRECISION, 0)
    if kind in {"text", "variant"}:
        return ResultColumn(name, kind, length=TEXT_LENGTH)
    if kind == "binary":
        return ResultColumn(name, kind, length=BINARY_LENGTH)
    if kind.startswith("time"):
        return ResultColumn(name, kind, 0, 9)
    return ResultColumn(name, kind)


def columns_of(described: Iterable[Sequence[Any]]) -> list[ResultColumn]:
    """From rows whose first two fields are a name and an engine type."""
    return [column_of(str(row[0]), str(row[1])) for row in described]


def as_arrow(table: pa.Table, columns: Sequence[ResultColumn]) -> str:
    """The table as one Arrow stream in base64, the form in which drivers take rows."""
    arrays = [_as_driver_reads(table.column(index).combine_chunks(), column) for index, column in enumerate(columns)]
    fields = [
        pa.field(column.name, array.type, metadata=column.metadata())
        for column, array in zip(columns, arrays, strict=True)
    ]
    sink = pa.BufferOutputStream()
    schema = pa.schema(fields)
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return b64encode(sink.getvalue()).decode()


def _as_driver_reads(array: Column, column: ResultColumn) -> Column:
    match column.type:
        case "timestamp_ntz" | "timestamp_tz":
            return _timestamps(array, is_zoned=column.type == "timestamp_tz")
        case "time":
            return pc.multiply(array.cast(pa.int64()), 1000)
        case "fixed" if pa.types.is_integer(array.type):
            is_wide = pa.types.is_uint64(array.type)
            return array.cast(pa.decimal128(NUMBER_PRECISION, 0) if is_wide else pa.int64())
        case "real":
            return array.cast(pa.float64())
        case "text" | "variant":
            return array.cast(pa.string())
        case _:
            return array


def _timestamps(array: Column, *, is_zoned: bool) -> Column:
    """Seconds and nanoseconds as fields. Python asks the struct whether it is null, Java its first field."""
    micros = array.cast(pa.timestamp("us", tz=array.type.tz)).cast(pa.int64())
    seconds = _floored_seconds(micros)
    fraction = pc.multiply(pc.subtract(micros, pc.multiply(seconds, MICROSECONDS)), 1000).cast(pa.int32())
    parts = {"epoch": seconds, "fraction": fraction}
    if is_zoned:
        parts["timezone"] = pa.array([UTC_ZONE] * len(array), pa.int32())
    fields = [pa.field(name, part.type) for name, part in parts.items()]
    return pa.StructArray.from_arrays(list(parts.values()), fields=fields, mask=array.is_null())


def _floored_seconds(micros: Column) -> Column:
    """Whole seconds, rounded towards the past: integer division alone rounds towards 1970."""
    towards_1970 = pc.divide(micros, MICROSECONDS)
    is_above = pc.greater(pc.multiply(towards_1970, MICROSECONDS), micros)
    return pc.subtract(towards_1970, is_above.cast(pa.int64()))
