"""Rows of text into typed invoice lines. Everything is checked here, before anything is written."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

import polars as pl

from concord.contracts.tables import MONEY
from concord.errors import ContractViolation
from concord.ingest.online_retail.instants import parse_instants
from concord.ingest.online_retail.read import ROW, SHEET, RawFile, read_file

CENT = Decimal("0.01")
LARGEST_CENTS = 10**MONEY.precision - 1
LARGEST_QUANTITY = 2**31 - 1
DAY = timedelta(days=1)
CANCELLATION = "C"
"""An invoice number that begins so takes an earlier invoice back."""


@dataclass(frozen=True)
class Lines:
    """Typed lines in the file's order; ``repeated`` rows of a second sheet were left out.

    Columns: row, invoice, sku, description (nullable), quantity, at (UTC, ms), cents (unit price),
    customer (nullable), country (nullable).
    """

    path: Path
    rows: pl.DataFrame
    repeated: int


def read_lines(path: Path) -> Lines:
    """Read and check a whole file. Raises :class:`ContractViolation` naming file, row and column."""
    raw = read_file(path)
    typed = raw.rows.select(
        pl.col(ROW),
        pl.col(SHEET),
        _without_fraction(_required(raw, "invoice")),
        _without_fraction(_required(raw, "sku")),
        pl.col("description"),
        _whole(raw, "quantity", LARGEST_QUANTITY),
        parse_instants(raw),
        _cents(raw),
        _customer(raw),
        pl.col("country"),
    )
    kept = without_repeated_sheets(typed)
    lines = Lines(path, kept.drop(SHEET), typed.height - kept.height)
    _check_totals(lines)
    return lines


def without_repeated_sheets(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out invoices that an earlier sheet has already.

    The two sheets of *Online Retail II* share nine days of December 2010. Where they were put into
    one file, the second begins where time jumps back.
    """
    parts = rows.with_columns(part=pl.col(SHEET) + _second_half(rows))
    first = parts.group_by("invoice").agg(pl.col("part").min().alias("first_part"))
    at_home = parts.join(first, on="invoice", maintain_order="left").filter(pl.col("part") == pl.col("first_part"))
    return at_home.select(rows.columns)


def _second_half(rows: pl.DataFrame) -> pl.Expr:
    """1 behind a single jump back of more than a day, else 0: a file in no order has no halves."""
    jumps = (pl.col("at").diff() < -DAY).fill_null(False).cast(pl.Int32)
    is_single = rows[SHEET].n_unique() == 1 and rows.select(jumps.sum()).item() == 1
    return jumps.cum_sum() if is_single else pl.lit(0, pl.Int32)


def _required(raw: RawFile, name: str) -> pl.Series:
    column = raw.rows[name]
    if column.null_count():
        raw.refuse(column.is_null().arg_max() or 0, name, "is missing")
    return column


def _without_fraction(numbers: pl.Series) -> pl.Series:
    """Numbers that were kept as floats, 536365.0, are identifiers again."""
    return numbers.str.replace(r"^(\d+)\.0+$", "$1")


def _whole(raw: RawFile, name: str, largest: int) -> pl.Series:
    column = _required(raw, name)
    number = column.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    _refuse_first(raw, name, number.is_null(), "is not a whole number")
    _refuse_first(raw, name, number.abs() > largest, f"is beyond {largest:,}")
    return number


def _customer(raw: RawFile) -> pl.Series:
    column = raw.rows["customer"]
    number = column.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    wrong = (column.is_not_null() & number.is_null()) | (number < 1).fill_null(False)
    _refuse_first(raw, "customer", wrong, "is not a customer number")
    return number


def _cents(raw: RawFile) -> pl.Series:
    """Unit prices in cents, rounded half up from the text: no binary fraction is ever rounded."""
    column = _required(raw, "price")
    texts = column.unique()
    cents = {text: _to_cents(text) for text in texts}
    number = column.replace_strict(list(cents), list(cents.values()), return_dtype=pl.Int64).alias("cents")
    _refuse_first(raw, "price", number.is_null(), f"is not an amount below {Decimal(LARGEST_CENTS + 1) * CENT:,.0f}")
    return number


def _to_cents(text: str) -> int | None:
    try:
        rounded = Decimal(text).quantize(CENT, ROUND_HALF_UP)
    except InvalidOperation:
        return None
    cents = int(rounded.scaleb(2))
    return cents if abs(cents) <= LARGEST_CENTS else None


def _refuse_first(raw: RawFile, name: str, wrong: pl.Series, reason: str) -> None:
    if wrong.any():
        raw.refuse(wrong.arg_max() or 0, name, reason)


def _check_totals(lines: Lines) -> None:
    """An order's total must fit where PostgreSQL keeps it."""
    totals = lines.rows.group_by("invoice").agg((pl.col("quantity") * pl.col("cents")).sum().abs().alias("total"))
    beyond = totals.filter(pl.col("total") > LARGEST_CENTS).sort("invoice")
    if beyond.height:
        invoice, total = beyond.row(0)
        raise ContractViolation(
            f"{lines.path}: invoice {invoice}: its lines come to {Decimal(total) * CENT:,.2f}, "
            f"more than numeric({MONEY.precision},{MONEY.scale}) holds"
        )
