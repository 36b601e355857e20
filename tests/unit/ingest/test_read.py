"""Files as published, and files that are not."""

# ruff: noqa: DTZ001 - the published files carry no zone

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from concord.errors import ContractViolation, ExitCode
from concord.ingest.online_retail.facts import retail_facts
from concord.ingest.online_retail.lines import read_lines
from tests.retail import COLUMNS, COLUMNS_II, frame, line, parquet, xlsx

DECEMBER = datetime(2010, 12, 1, 8, 26)


def csv(path: Path, *rows: str, header: str = ",".join(COLUMNS), encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([header, *rows, ""]), encoding=encoding)
    return path


def test_parquet_csv_and_xlsx_of_the_same_lines_are_read_alike(tmp_path: Path) -> None:
    as_parquet = parquet(tmp_path, line(), line("536366", customer=None))
    as_csv = csv(
        tmp_path / "retail.csv",
        "536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
        "536366,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,,United Kingdom",
    )
    rows = [(int(number), "85123A", "WHITE HANGING HEART", 6, DECEMBER, 2.55, who, "United Kingdom")
            for number, who in ((536365, 17850), (536366, None))]  # fmt: skip
    as_xlsx = xlsx(tmp_path / "retail.xlsx", rows)
    frames = [read_lines(path).rows.drop("row") for path in (as_parquet, as_csv, as_xlsx)]
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


def test_the_names_of_online_retail_two_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "two.parquet"
    frame(line(), columns=COLUMNS_II).write_parquet(path)
    assert read_lines(path).rows["customer"].to_list() == [17850]


def test_invoices_that_two_sheets_share_are_taken_once(tmp_path: Path) -> None:
    def row(invoice: str, at: datetime) -> tuple[object, ...]:
        return (invoice, "22423", "CAKESTAND", 1, at, 12.75, 13085, "France")

    shared, twice = row("C9", datetime(2010, 12, 2)), row("536000", datetime(2010, 12, 9))
    first = [row("489434", datetime(2009, 12, 1)), shared, twice, twice]
    second = [shared, twice, twice, row("581587", datetime(2011, 12, 9))]
    in_sheets = xlsx(tmp_path / "two.xlsx", first, second)
    in_one = tmp_path / "one.csv"
    rows = [[str(value) for value in row] for row in first + second]
    pl.DataFrame(rows, schema=list(COLUMNS_II), orient="row").write_csv(in_one)
    for path in (in_sheets, in_one):
        lines = read_lines(path)
        assert (lines.rows.height, lines.repeated) == (5, 3)
        assert retail_facts(path).lines == 5


def test_a_file_in_no_order_loses_nothing(tmp_path: Path) -> None:
    days = (3, 9, 1, 8, 2)
    lines = [line("536365", at=datetime(2010, 12, day)) for day in days]
    assert read_lines(parquet(tmp_path, *lines)).rows.height == 5


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("12/1/2010 8:26", "12/13/2010 9:00"), datetime(2010, 12, 1, 8, 26)),
        (("1/12/2010 8:26", "13/12/2010 9:00"), datetime(2010, 12, 1, 8, 26)),
        (("5/11/2009 07:45", "6/11/2009 07:45", "1/12/2009 08:00"), datetime(2009, 11, 5, 7, 45)),
        (("12/1/10 8:26", "12/2/10 8:26"), datetime(2010, 12, 1, 8, 26)),
        (("2010-12-01T08:26:00", "2010-12-02T08:26:00"), datetime(2010, 12, 1, 8, 26)),
    ],
)
def test_one_date_format_is_found_for_the_whole_file(
    tmp_path: Path, texts: tuple[str, ...], expected: datetime
) -> None:
    rows = [f"{536365 + index},85123A,HEART,6,{text},2.55,17850,UK" for index, text in enumerate(texts)]
    assert read_lines(csv(tmp_path / "retail.csv", *rows)).rows["at"][0] == expected


def test_latin_1_and_semicolons_are_read_as_spreadsheets_write_them(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "retail.csv",
        "536365;85123A;10 £ VOUCHER;6;2010-12-01 08:26:00;2.55;17850;UK",
        header=";".join(COLUMNS),
        encoding="latin-1",
    )
    assert read_lines(path).rows["description"].to_list() == ["10 £ VOUCHER"]


def test_prices_are_rounded_half_up_from_their_text(tmp_path: Path) -> None:
    prices = (0.001, 0.005, 1.005, 2.675, -11062.06)
    lines = read_lines(parquet(tmp_path, *(line(price=price) for price in prices)))
    assert lines.rows["cents"].to_list() == [0, 1, 101, 268, -1106206]


def test_the_text_nan_is_no_description_and_no_customer(tmp_path: Path) -> None:
    path = csv(tmp_path / "retail.csv", "536365,85123A,nan,6,2010-12-01 08:26:00,2.55,nan,UK")
    [row] = read_lines(path).rows.iter_rows(named=True)
    assert (row["description"], row["customer"]) == (None, None)


def wrong_files(folder: Path) -> dict[str, tuple[Path, str]]:
    good = "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850,UK"
    (folder / "empty.csv").touch()
    (folder / "broken.parquet").write_bytes(b"PAR1 but not really")
    (folder / "broken.xlsx").write_bytes(b"PK\3\4 but not really")
    (folder / "binary.csv").write_bytes(bytes(range(256)))
    (folder / "letter.txt").write_text("Dear Sir or Madam")
    (folder / "folder.csv").mkdir()

    def cell(name: str, bad: str) -> Path:
        return csv(folder / f"{name}.csv", good, bad)

    return {
        "missing": (folder / "missing.csv", "no such file"),
        "directory": (folder / "folder.csv", "is a directory"),
        "empty": (folder / "empty.csv", "is empty"),
        "other kind": (folder / "letter.txt", "not one of .parquet, .csv, .xlsx"),
        "no parquet": (folder / "broken.parquet", "not a readable PARQUET file"),
        "no xlsx": (folder / "broken.xlsx", "not a readable XLSX file"),
        "no csv": (folder / "binary.csv", "is not text"),
        "heading only": (csv(folder / "heading.csv"), "holds no rows"),
        "columns": (csv(folder / "columns.csv", "1,2", header="a,b"), "column InvoiceNo or Invoice, StockCode"),
        "date": (
            cell("date", good.replace("2010-12-01 08:26:00", "yesterday")),
            "row 3, column InvoiceDate: 'yesterday'",
        ),
        "no date": (cell("no_date", good.replace("2010-12-01 08:26:00", "")), "row 3, column InvoiceDate: None"),
        "no such day": (
            cell("day", good.replace("12-01", "02-30")),
            "row 3, column InvoiceDate: '2010-02-30 08:26:00'",
        ),
        "quantity": (cell("quantity", good.replace(",6,", ",six,")), "row 3, column Quantity: 'six'"),
        "half": (cell("half", good.replace(",6,", ",1.5,")), "row 3, column Quantity: '1.5'"),
        "huge": (cell("huge", good.replace(",6,", ",3000000000,")), "row 3, column Quantity: '3000000000'"),
        "price": (cell("price", good.replace("2.55", "cheap")), "row 3, column UnitPrice: 'cheap'"),
        "dear": (cell("dear", good.replace("2.55", "123456789")), "row 3, column UnitPrice: '123456789'"),
        "endless": (cell("endless", good.replace("2.55", "Infinity")), "row 3, column UnitPrice: 'Infinity'"),
        "customer": (cell("customer", good.replace("17850", "me")), "row 3, column CustomerID: 'me'"),
        "invoice": (cell("invoice", good.replace("536365", "")), "row 3, column InvoiceNo: None"),
        "sku": (cell("sku", good.replace("85123A", "")), "row 3, column StockCode: None"),
        "total": (cell("total", good.replace(",6,", ",99999999,")), "invoice 536365: its lines come to"),
    }


@pytest.mark.parametrize("case", [
    "missing", "directory", "empty", "other kind", "no parquet", "no xlsx", "no csv", "heading only", "columns", "date",
    "no date", "no such day", "quantity", "half", "huge", "price", "dear", "endless", "customer", "invoice", "sku",
    "total",
])  # fmt: skip
def test_a_wrong_file_is_refused_in_one_line_that_names_the_fault(tmp_path: Path, case: str) -> None:
    path, words = wrong_files(tmp_path)[case]
    with pytest.raises(ContractViolation) as refused:
        read_lines(path)
    assert str(path) in refused.value.message
    assert words in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.exit_code == ExitCode.CONTRACT_VIOLATION


def test_facts_are_plain_sums_over_the_file(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        line("1", quantity=2, price=1.10),
        line("1", "POST", quantity=-1, price=0.50),
        line("C2", quantity=-3, price=1.10, customer=None),
        line("3", at=datetime(2010, 12, 2), price=0.001),
    )
    facts = retail_facts(path)
    assert (facts.revenue, facts.cancelled, facts.net) == (Decimal("1.70"), Decimal("3.30"), Decimal("-1.60"))
    assert list(facts.revenue_by_day.values()) == [Decimal("1.70"), Decimal("0.00")]
    assert list(facts.orders_by_day.values()) == [2, 1]
    assert (facts.lines_without_customer, facts.prices_zero_or_less) == (1, 1)
