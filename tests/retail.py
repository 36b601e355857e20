"""Online Retail in tests: the real file where it is, and small files of the same shape."""

# ruff: noqa: DTZ001 - the published files carry no zone

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

from concord.settings import PROJECT

REAL_FILE = Path(os.environ.get("CONCORD_DATA_ONLINE_RETAIL", PROJECT.parent / "shared/data/online_retail.parquet"))

needs_real_file = pytest.mark.skipif(
    not REAL_FILE.is_file(), reason="needs the Online Retail file: set CONCORD_DATA_ONLINE_RETAIL"
)

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
COLUMNS_II = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")


def line(
    invoice: str = "536365",
    sku: str = "85123A",
    description: str | None = "WHITE HANGING HEART",
    quantity: int = 6,
    at: datetime = datetime(2010, 12, 1, 8, 26),
    price: float = 2.55,
    customer: float | None = 17850.0,
    country: str = "United Kingdom",
) -> tuple[Any, ...]:
    """One line as the published Parquet holds it; a test names what it is about."""
    return invoice, sku, description, quantity, at, price, customer, country


def frame(*lines: tuple[Any, ...], columns: tuple[str, ...] = COLUMNS) -> pl.DataFrame:
    kinds = (pl.String, pl.String, pl.String, pl.Int64, pl.Datetime("ns"), pl.Float64, pl.Float64, pl.String)
    return pl.DataFrame(lines, schema=dict(zip(columns, kinds, strict=True)), orient="row")


def parquet(folder: Path, *lines: tuple[Any, ...], name: str = "retail.parquet") -> Path:
    """A Parquet file of these lines."""
    frame(*lines).write_parquet(folder / name)
    return folder / name


def xlsx(path: Path, *sheets: Sequence[tuple[Any, ...]], columns: tuple[str, ...] = COLUMNS_II, at: str = "A1") -> Path:
    """A workbook with one sheet for each list of lines, the headings from cell ``at`` on."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm:ss.000"}) as book:
        for lines in sheets:
            sheet = book.add_worksheet()
            top, left = xl_cell_to_rowcol(at)
            for row, cells in enumerate((columns, *lines), start=top):
                sheet.write_row(row, left, cells)
    return path
