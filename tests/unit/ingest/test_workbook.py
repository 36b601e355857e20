"""Workbooks as spreadsheets save them: what a cell means, where rows are, and files that are none."""

# ruff: noqa: DTZ001 - the published files carry no zone

import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
import xlsxwriter

from concord.errors import ContractViolation
from concord.ingest.online_retail import workbook
from concord.ingest.online_retail.lines import read_lines
from concord.ingest.online_retail.read import read_file
from concord.ingest.online_retail.run import prepare
from tests.retail import COLUMNS_II, line, xlsx

NEW_YEAR = datetime(2011, 1, 1)


@pytest.mark.parametrize(
    ("column", "cell", "text"),
    [
        ("sku", "85123A", "85123A"),
        ("sku", 22423, "22423"),
        ("sku", "00123", "00123"),
        ("sku", " DOT ", "DOT"),
        ("sku", True, "True"),
        ("invoice", 536365, "536365"),
        ("invoice", "C536379", "C536379"),
        ("invoice", "A563185", "A563185"),
        ("description", 20713, "20713"),
        ("description", None, None),
        ("description", "nan", None),
        ("quantity", -80995, "-80995"),
        ("price", 0.001, "0.001"),
        ("price", 2.5499999999999998, "2.55"),
        ("price", 0.00499999999, "0.00499999999"),
        ("price", 1e-7, "1e-07"),
        ("price", -11062.06, "-11062.06"),
        ("price", 38970, "38970"),
        ("customer", 17850.0, "17850"),
        ("customer", None, None),
        ("at", datetime(2010, 12, 1, 8, 26), "2010-12-01 08:26:00"),
        ("at", datetime(2010, 12, 1, 8, 26, 37, 123_000), "2010-12-01 08:26:37.123000"),
        ("at", datetime(2010, 12, 1), "2010-12-01 00:00:00"),
        ("at", date(2010, 12, 1), "2010-12-01 00:00:00"),
        ("at", "1/12/2010 8:26", "1/12/2010 8:26"),
    ],
)
def test_a_cell_is_read_as_the_spreadsheet_shows_it(
    tmp_path: Path, column: str, cell: object, text: str | None
) -> None:
    row = read_file(xlsx(tmp_path / "two.xlsx", [_line_with(column, cell)])).rows.row(0, named=True)
    assert row[column] == text


def _line_with(column: str, cell: object) -> tuple[object, ...]:
    names = ("invoice", "sku", "description", "quantity", "at", "price", "customer", "country")
    return tuple(cell if name == column else other for name, other in zip(names, line(), strict=True))


def test_cells_that_are_equal_to_a_program_but_not_to_a_reader_stay_apart(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "two.xlsx", [line(sku=sku) for sku in (1, True, "1.0", 0, False)])
    assert read_file(path).rows["sku"].to_list() == ["1", "True", "1.0", "0", "False"]


def test_dates_with_and_without_a_time_or_a_fraction_of_a_second_stand_in_one_column(tmp_path: Path) -> None:
    moments = (datetime(2010, 12, 1, 8, 26, 37, 123_000), datetime(2010, 12, 2, 8, 26), datetime(2010, 12, 3))
    path = xlsx(tmp_path / "two.xlsx", [line(at=at) for at in (*moments, date(2010, 12, 4))])
    assert read_lines(path).rows["at"].to_list() == [*moments, datetime(2010, 12, 4)]


def test_dates_are_right_where_the_workbook_counts_them_from_1904(tmp_path: Path) -> None:
    options = {"date_1904": True, "default_date_format": "m/d/yy h:mm"}
    with xlsxwriter.Workbook(tmp_path / "mac.xlsx", options) as book:
        sheet = book.add_worksheet()
        sheet.write_row("A1", COLUMNS_II)
        sheet.write_row("A2", line(at=NEW_YEAR))
    assert read_lines(tmp_path / "mac.xlsx").rows["at"].to_list() == [NEW_YEAR]


def test_rows_are_counted_as_the_spreadsheet_counts_them(tmp_path: Path) -> None:
    lines = [line(), (), line(at="yesterday")]
    path = xlsx(tmp_path / "two.xlsx", lines, at="C4")
    assert read_file(path).rows["row"].to_list() == [5, 7]
    with pytest.raises(ContractViolation, match="row 7, column InvoiceDate: 'yesterday' is not a date and time"):
        read_lines(path)


@pytest.mark.parametrize("cell", [time(8, 26), timedelta(hours=30), 40513.35, None])
def test_what_is_no_date_is_refused_with_its_row(tmp_path: Path, cell: object) -> None:
    path = xlsx(tmp_path / "two.xlsx", [line(), line(at=cell)])
    with pytest.raises(ContractViolation, match="row 3, column InvoiceDate"):
        read_lines(path)


def test_a_column_without_heading_moves_no_other(tmp_path: Path) -> None:
    lines = [(number, *line(), "note") for number in (0, 1)]
    path = xlsx(tmp_path / "two.xlsx", lines, columns=("", *COLUMNS_II, ""))
    assert read_file(path).rows["invoice"].to_list() == ["536365", "536365"]


def test_empty_sheets_and_charts_hold_no_lines(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "two.xlsx", {"default_date_format": "m/d/yy h:mm"}) as book:
        book.add_worksheet("blank")
        sheet = book.add_worksheet("lines")
        sheet.write_row("A1", COLUMNS_II)
        sheet.write_row("A2", line())
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=lines!$D$2:$D$2"})
        book.add_chartsheet().set_chart(chart)
    assert read_lines(tmp_path / "two.xlsx").rows.height == 1


def test_lines_keep_their_order_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "BLOCK", 2)
    path = xlsx(tmp_path / "two.xlsx", [line(quantity=quantity) for quantity in range(1, 6)])
    rows = read_lines(path).rows
    assert (rows["quantity"].to_list(), rows["row"].to_list()) == ([1, 2, 3, 4, 5], [2, 3, 4, 5, 6])


@pytest.mark.parametrize("chunk", [1, 64, 1 << 20])
def test_a_formula_that_failed_makes_no_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(workbook, "CHUNK", chunk)
    with xlsxwriter.Workbook(tmp_path / "two.xlsx", {"default_date_format": "m/d/yy h:mm"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row("A1", COLUMNS_II)
        sheet.write_row("A2", line())
        sheet.write_row("A3", line())
        sheet.write_formula("G3", "=VLOOKUP(1,A1:B1,2)", None, "#N/A")
    with pytest.raises(ContractViolation, match=r"cell G3 of xl/worksheets/sheet1\.xml holds an error"):
        read_lines(tmp_path / "two.xlsx")


def test_two_sheets_whose_invoices_overlap_become_each_order_once(tmp_path: Path) -> None:
    december = datetime(2010, 12, 9, 10, 15)
    shared = [line(538000, "22423", at=december), line("C538001", at=december, quantity=-1), line("A538002")]
    first = [line(489434, at=datetime(2009, 12, 1), price=6.95), *shared]
    second = [*shared, line(581587, 22138, at=datetime(2011, 12, 9), customer=12680)]
    prepared = prepare(xlsx(tmp_path / "two.xlsx", first, second))
    assert (prepared.lines, prepared.repeated) == (5, 3)
    numbers = ["489434", "A538002", "538000", "C538001", "581587"]
    assert prepared.plan.orders["external_id"].to_list() == numbers
    assert prepared.plan.items["order"].to_list() == [0, 1, 2, 3, 4]
    assert sorted(prepared.plan.products["sku"]) == ["22138", "22423", "85123A"]
    assert prepared.plan.users["id"].to_list() == [17850, 12680]


def _truncated(path: Path) -> None:
    content = xlsx(path, [line()] * 50).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _damaged(path: Path) -> None:
    """The sheet's rows end in the middle, in a package that is whole otherwise."""
    whole = xlsx(path.with_name("whole.xlsx"), [line()] * 50)
    with ZipFile(whole) as package, ZipFile(path, "w") as damaged:
        for part in package.namelist():
            content = package.read(part)
            damaged.writestr(part, content[: content.rfind(b"<row")] if "sheet1" in part else content)


def _archive(path: Path) -> None:
    with ZipFile(path, "w") as package:
        package.writestr("letter.txt", "Dear Sir or Madam")


def _locked(path: Path) -> None:
    """What a spreadsheet saves under a password: a compound file with one stream, EncryptedPackage."""
    end, free, none = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF
    signature = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    header = signature + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    allocation = struct.pack("<128I", 0xFFFFFFFD, end, *[free] * 126)

    def entry(name: str, kind: int, child: int) -> bytes:
        spelled = name.encode("utf-16-le")
        named = spelled.ljust(64, b"\0") + struct.pack("<HBB", len(spelled) + 2, kind, 1)
        return named + struct.pack("<3I36xIQ", none, none, child, end, 0)

    directory = entry("Root Entry", 5, 1) + entry("EncryptedPackage", 2, none)
    path.write_bytes(header + allocation + directory.ljust(512, b"\0"))


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("Dear Sir or Madam"), "is not a readable XLSX file"),
    "parquet": (lambda path: path.write_bytes(b"PAR1" + bytes(100) + b"PAR1"), "is not a readable XLSX file"),
    "truncated": (_truncated, "is not a readable XLSX file"),
    "damaged": (_damaged, "is not a readable XLSX file"),
    "archive": (_archive, "is not a readable XLSX file"),
    "password": (_locked, "is protected by a password"),
    "empty file": (lambda path: path.touch(), "is empty"),
    "directory": (lambda path: path.mkdir(), "is a directory, not a file"),
    "empty sheet": (lambda path: xlsx(path, [], columns=()), "holds no rows"),
    "headings alone": (lambda path: xlsx(path, []), "holds no rows"),
    "columns": (
        lambda path: xlsx(path, [line()], columns=("Invoice", "?", "?")),
        "sheet 'Sheet1': column StockCode, Description, Quantity, InvoiceDate, UnitPrice or Price, CustomerID or Customer ID, "
        "Country is missing; it has Invoice, ?",
    ),
    "second sheet": (
        lambda path: xlsx(path, [line()], [line(), line(quantity=1.5)]),
        "sheet 'Sheet2', row 3, column Quantity: '1.5' is not a whole number",
    ),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_a_wrong_workbook_is_refused_in_one_line_that_names_the_fault(tmp_path: Path, case: str) -> None:
    write, words = WRONG[case]
    path = tmp_path / "two.xlsx"
    write(path)
    with pytest.raises(ContractViolation) as refused:
        read_lines(path)
    assert refused.value.message.startswith(f"{path}: ")
    assert words in refused.value.message
    assert "\n" not in refused.value.message
