"""A workbook's sheets as frames of text."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import polars as pl
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError

from concord.errors import ContractViolation

BLOCK = 10_000
"""Rows that are held as cells at a time; what went before is columns of text."""
REMEMBERED = 50_000
"""Cells whose text is kept at hand: few numbers and dates are there once only."""

CHUNK = 1 << 20
"""Bytes of a sheet that are searched at a time."""
ERROR = b't="e"'
ERROR_CELL = re.compile(rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")[^>]*?\br="([A-Z]+\d+)"')


class Table(NamedTuple):
    """The rows under a sheet's headings; ``first_row`` is where the spreadsheet counts the first of them."""

    sheet: str
    first_row: int
    cells: pl.DataFrame


def tables(path: Path) -> Iterator[Table]:
    """Every sheet that is not empty; its first row with a text holds the headings.

    Raises :class:`ContractViolation` if the workbook has a password or a formula that failed,
    ``CalamineError`` or ``BadZipFile`` if it is none.
    """
    try:
        with path.open("rb"), CalamineWorkbook.from_path(path) as book:  # opened for a clear PermissionError
            for name in book.sheet_names:
                yield from _table(book.get_sheet_by_name(name))
        _refuse_failed_formulas(path)
    except PasswordError:
        raise ContractViolation(f"{path}: is protected by a password", "save it without one") from None


def _refuse_failed_formulas(path: Path) -> None:
    """The reader gives ``#N/A`` as an empty cell: a customer that was not found would become a guest."""
    with ZipFile(path) as package:
        for part in package.namelist():
            if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part) and (cell := _failed_formula(package, part)):
                raise ContractViolation(
                    f"{path}: cell {cell} of {part} holds an error such as #N/A",
                    "correct or clear it in the spreadsheet",
                )


def _failed_formula(package: ZipFile, part: str) -> str | None:
    with package.open(part) as stream:
        before = b""
        while chunk := stream.read(CHUNK):
            text = before + chunk
            if ERROR in text and (found := ERROR_CELL.search(text)):
                return found[1].decode()
            before = text[text.rfind(b"<") :]
    return None


def _table(sheet: CalamineSheet) -> Iterator[Table]:
    rows = sheet.iter_rows()
    for number, cells in enumerate(rows, start=1):
        if any(isinstance(cell, str) and cell.strip() for cell in cells):
            yield Table(sheet.name, number + 1, _under(_columns(cells), rows))
            return


def _columns(headings: Sequence[object]) -> dict[str, int]:
    """Where each heading stands; of two alike the first counts."""
    columns: dict[str, int] = {}
    for index, cell in enumerate(headings):
        columns.setdefault(_text(cell).strip(), index)
    columns.pop("", None)
    return columns


def _under(columns: dict[str, int], rows: Iterator[Sequence[object]]) -> pl.DataFrame:
    schema = dict.fromkeys(columns, pl.String)
    blocks = [pl.DataFrame(schema=schema)]
    while block := list(islice(rows, BLOCK)):
        cells = list(zip(*block, strict=True))
        texts = {name: list(map(_text, cells[index])) for name, index in columns.items()}
        blocks.append(pl.DataFrame(texts, schema=schema))
    return pl.concat(blocks)


@lru_cache(maxsize=REMEMBERED, typed=True)
def _text(cell: object) -> str:
    """A cell as text, empty if it is. Spreadsheets keep every number as a float, so whole ones lose
    their ``.0``, and a midnight as a mere day, so it gets its time back."""
    match cell:
        case datetime():
            return cell.isoformat(" ")
        case date():
            return f"{cell} 00:00:00"
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell)
