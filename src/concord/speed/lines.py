"""Lines of values, as native validation cuts them, become typed columns."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from concord.contracts.types import Instant, Uuid
from concord.dialects.arrow import data_type
from concord.speed.lexical import DELIMITER, FIELDS, LINE_FIELDS

_READ = csv.ReadOptions(column_names=[column.name for column in LINE_FIELDS], use_threads=False)
_PARSE = csv.ParseOptions(delimiter=DELIMITER, double_quote=False, escape_char="\\", ignore_empty_lines=False)
_CONVERT = csv.ConvertOptions(
    column_types={column.name: data_type(column.type) for column in LINE_FIELDS},
    null_values=[""],
    strings_can_be_null=True,
    quoted_strings_can_be_null=False,
)


def typed(lines: Any) -> pa.Table:
    """One row per line of a chunked array: every declared column of ``events`` but the position.

    Instants are cut to milliseconds, identifiers are lower case.
    """
    if not len(lines):
        return pa.schema([(column.name, data_type(column.type)) for column in FIELDS]).empty_table()
    text: Any = pa.BufferReader(_joined(lines))
    rows = csv.read_csv(text, _READ, _PARSE, _CONVERT)
    columns = {column.name: _normal(rows[column.name], column.type) for column in FIELDS}
    return pa.table(columns)


def _joined(lines: Any) -> Any:
    whole = pa.LargeListArray.from_arrays(
        pa.array([0, len(lines)], pa.int64()), lines.cast(pa.large_string()).combine_chunks()
    )
    joined: Any = pc.binary_join(whole, pa.scalar("\n", pa.large_string()))
    return joined[0].as_buffer()


def _normal(values: Any, logical: object) -> Any:
    match logical:
        case Instant():
            return pc.floor_temporal(values, unit="millisecond")
        case Uuid():
            return pc.ascii_lower(values)
        case _:
            return values
