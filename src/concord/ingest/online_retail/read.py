"""A published file as rows of text, whatever its format: one frame, named columns, nothing judged yet."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from zipfile import BadZipFile

import polars as pl
from python_calamine import CalamineError

from concord.errors import ContractViolation
from concord.ingest.online_retail.workbook import Table, tables

HEADINGS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "sku": ("StockCode",),
    "description": ("Description",),
    "quantity": ("Quantity",),
    "at": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}
"""Our name of each column, and what *Online Retail* and *Online Retail II* call it."""

SHEET, ROW = "sheet", "row"
MISSING = ("", "nan", "NaN", "null", "NULL", "None")
"""Texts that stand for no value in the published files and their common conversions."""


@dataclass(frozen=True)
class RawFile:
    """Every row of the file as text, empty and ``nan`` as null, in the file's order.

    Beside the columns of :data:`HEADINGS`: ``row`` as a spreadsheet or editor counts it, and
    ``sheet`` (0 where there is one), an index into ``sheets``. ``headings`` says what the file calls each column.
    """

    path: Path
    rows: pl.DataFrame
    headings: dict[str, str]
    sheets: tuple[str, ...]

    def refuse(self, index: int, column: str, reason: str) -> NoReturn:
        """Raise the violation of one cell of ``rows``, named as the file names it."""
        row = self.rows.row(index, named=True)
        sheet = f"sheet {self.sheets[row[SHEET]]!r}, " if len(self.sheets) > 1 else ""
        heading = self.headings[column]
        raise ContractViolation(f"{self.path}: {sheet}row {row[ROW]}, column {heading}: {row[column]!r} {reason}")


def read_file(path: Path) -> RawFile:
    """Read Parquet, CSV or XLSX. Raises :class:`ContractViolation` naming the file and what is wrong with it."""
    reader = READERS.get(path.suffix.lower())
    if path.is_dir():
        raise ContractViolation(f"{path}: is a directory, not a file")
    if not path.exists():
        raise ContractViolation(f"{path}: no such file")
    if reader is None:
        raise ContractViolation(f"{path}: not one of {', '.join(READERS)}", "the published data set is one of these")
    if path.stat().st_size == 0:
        raise ContractViolation(f"{path}: is empty")
    return _assembled(path, list(_opened(path, reader)))


Reader = Callable[[Path], Iterator[Table]]


def _opened(path: Path, reader: Reader) -> Iterator[Table]:
    kind = path.suffix.lower().lstrip(".").upper()
    try:
        yield from reader(path)
    except PermissionError:
        raise ContractViolation(f"{path}: may not be read by this user") from None
    except (pl.exceptions.PolarsError, BadZipFile, CalamineError, UnicodeError, csv.Error) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ContractViolation(f"{path}: is not a readable {kind} file: {reason}") from None


def _read_parquet(path: Path) -> Iterator[Table]:
    """Typed columns become text: instants in ISO form in UTC, numbers in their shortest exact form."""
    frame = pl.read_parquet(path)
    yield Table(path.name, 1, frame.select(_as_text(name, dtype) for name, dtype in frame.schema.items()))


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return utc.dt.strftime("%Y-%m-%d %H:%M:%S%.f")
    if dtype == pl.Binary:
        return column.cast(pl.String, strict=False)
    return column.cast(pl.String)


def _read_csv(path: Path) -> Iterator[Table]:
    """UTF-8, or Latin-1 as the spreadsheet's own export writes it; comma or semicolon."""
    content = path.read_bytes()
    if b"\0" in content[:4096]:
        raise ContractViolation(f"{path}: is not text, so no CSV file")
    first_line = content.split(b"\n", 1)[0]
    separator = ";" if first_line.count(b";") > first_line.count(b",") else ","
    yield Table(path.name, 2, pl.read_csv(_as_utf8(content), infer_schema=False, separator=separator))


def _as_utf8(content: bytes) -> bytes:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1").encode("utf-8")
    return content


READERS: dict[str, Reader] = {".parquet": _read_parquet, ".csv": _read_csv, ".xlsx": tables}


def _assembled(path: Path, sheets: list[Table]) -> RawFile:
    """The sheets under each other, under our names."""
    named = [_named(path, table).with_columns(pl.lit(index).alias(SHEET)) for index, table in enumerate(sheets)]
    if not sum(frame.height for frame in named):
        raise ContractViolation(f"{path}: holds no rows")
    rows = pl.concat(named).with_columns(_cleaned(name) for name in HEADINGS)
    filled = rows.filter(~pl.all_horizontal(pl.col(*HEADINGS).is_null()))
    return RawFile(path, filled, _headings(sheets[0].cells), tuple(table.sheet for table in sheets))


def _cleaned(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(~text.is_in(MISSING)).then(text).alias(name)


def _named(path: Path, table: Table) -> pl.DataFrame:
    headings = _headings(table.cells)
    missing = [" or ".join(HEADINGS[name]) for name in HEADINGS if name not in headings]
    if missing:
        found = ", ".join(table.cells.columns)
        where = "" if table.sheet == path.name else f"sheet {table.sheet!r}: "
        raise ContractViolation(
            f"{path}: {where}column {', '.join(missing)} is missing; it has {found or 'none'}",
            "this loads the UCI data sets Online Retail and Online Retail II",
        )
    row = pl.int_range(table.first_row, pl.len() + table.first_row).alias(ROW)
    return table.cells.select(*(pl.col(heading).alias(name) for name, heading in headings.items()), row)


def _headings(frame: pl.DataFrame) -> dict[str, str]:
    """What this frame calls each column; blanks, underscores and case do not matter."""
    spelled = {_folded(column): column for column in frame.columns}
    known = [(name, _folded(heading)) for name, headings in HEADINGS.items() for heading in headings]
    return {name: spelled[heading] for name, heading in known if heading in spelled}


def _folded(heading: str) -> str:
    return heading.strip().replace(" ", "").replace("_", "").lower().lstrip("\ufeff")
