"""What is in an object of the lake, be it data or metadata: for those who look for something in all of it."""

import gzip
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.avro.file import AvroFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table
from pyiceberg.typedef import Record

from concord.gateways.lake.files import Stored

GZIP = b"\x1f\x8b"


def contents(table: Table, one: Stored) -> Iterator[pa.Table | bytes]:
    """Rows of a data file, group by group; the words of anything else."""
    scheme, netloc, _ = PyArrowFileIO.parse_location(table.location())
    assert isinstance(table.io, PyArrowFileIO)
    store = table.io.fs_by_scheme(scheme, netloc)
    if one.path.endswith(".parquet"):
        with store.open_input_file(one.path) as file:
            parquet = pq.ParquetFile(file)
            for group in range(parquet.num_row_groups):
                yield parquet.read_row_group(group)
        return
    if one.path.endswith(".avro"):
        manifest: AvroFile[Record] = AvroFile(table.io.new_input(f"{scheme}://{one.path}"))
        with manifest as entries:
            yield from (repr(entry).encode() for entry in entries)
        return
    with store.open_input_file(one.path) as file:
        text = file.read()
    yield gzip.decompress(text) if text.startswith(GZIP) else text
