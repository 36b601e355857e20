"""What a retail file says, by plain computation: the oracle that every store is held against.

Goes over the rows one by one in Decimal and shares with the loader only the reading of the file,
none of its mapping.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

from concord.ingest.online_retail.instants import parse_instants
from concord.ingest.online_retail.read import read_file

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class RetailFacts:
    """Totals of one file; money in cents-exact Decimal, days in UTC.

    ``revenue`` sums quantity × unit price over invoices that are no cancellation, ``cancelled`` over
    the others with quantities positive. ``revenue_by_day`` and ``orders_by_day`` go by the day of an
    invoice's earliest line; a day with cancellations alone has revenue 0.
    """

    lines: int
    invoices: int
    cancelled_invoices: int
    customers: int
    stock_codes: int
    lines_without_customer: int
    prices_zero_or_less: int
    revenue: Decimal
    cancelled: Decimal
    revenue_by_day: dict[date, Decimal]
    orders_by_day: dict[date, int]

    @property
    def net(self) -> Decimal:
        return self.revenue - self.cancelled


@dataclass
class _Invoice:
    placed_at: datetime
    amount: Decimal = ZERO


@dataclass(frozen=True)
class _Line:
    sheet: int
    invoice: str
    sku: str
    customer: str | None
    at: datetime
    quantity: int
    price: Decimal

    @property
    def is_cancelled(self) -> bool:
        return self.invoice[0] == "C"

    @property
    def amount(self) -> Decimal:
        return (abs(self.quantity) if self.is_cancelled else self.quantity) * self.price


def retail_facts(path: Path) -> RetailFacts:
    """Count and sum a whole file. Raises ContractViolation if it cannot be read at all."""
    lines = _once(_read(path))
    invoices = _invoices(lines)
    revenue, orders = _by_day(invoices)
    return RetailFacts(
        lines=len(lines),
        invoices=len(invoices),
        cancelled_invoices=sum(number[0] == "C" for number in invoices),
        customers=len({line.customer for line in lines if line.customer}),
        stock_codes=len({line.sku for line in lines}),
        lines_without_customer=sum(line.customer is None for line in lines),
        prices_zero_or_less=sum(line.price <= 0 for line in lines),
        revenue=sum((line.amount for line in lines if not line.is_cancelled), ZERO),
        cancelled=sum((line.amount for line in lines if line.is_cancelled), ZERO),
        revenue_by_day=revenue,
        orders_by_day=orders,
    )


def _read(path: Path) -> list[_Line]:
    raw = read_file(path)
    instants = parse_instants(raw)
    columns = raw.rows.select("sheet", "invoice", "sku", "customer", "quantity", "price")
    return [
        _Line(
            sheet=sheet,
            invoice=invoice.removesuffix(".0"),
            sku=sku.removesuffix(".0"),
            customer=customer,
            at=at,
            quantity=int(Decimal(quantity)),
            price=Decimal(price).quantize(Decimal("0.01"), ROUND_HALF_UP),
        )
        for at, (sheet, invoice, sku, customer, quantity, price) in zip(instants, columns.iter_rows(), strict=True)
    ]


def _once(lines: list[_Line]) -> list[_Line]:
    """*Online Retail II* has nine days twice: an invoice of an earlier sheet is not counted again."""
    home: dict[str, int] = {}
    parts = zip(lines, _parts(lines), strict=True)
    return [line for line, part in parts if home.setdefault(line.invoice, part) == part]


def _parts(lines: list[_Line]) -> list[int]:
    """The sheet of each line; in one sheet, which side of its single jump back by more than a day."""
    if any(line.sheet for line in lines):
        return [line.sheet for line in lines]
    pairs = enumerate(pairwise(lines), start=1)
    jumps = [index for index, (before, line) in pairs if before.at - line.at > timedelta(days=1)]
    return [int(len(jumps) == 1 and index >= jumps[0]) for index in range(len(lines))]


def _invoices(lines: list[_Line]) -> dict[str, _Invoice]:
    invoices: dict[str, _Invoice] = {}
    for line in lines:
        invoice = invoices.setdefault(line.invoice, _Invoice(line.at))
        invoice.placed_at = min(invoice.placed_at, line.at)
        invoice.amount += line.amount
    return invoices


def _by_day(invoices: dict[str, _Invoice]) -> tuple[dict[date, Decimal], dict[date, int]]:
    revenue: dict[date, Decimal] = defaultdict(lambda: ZERO)
    orders: dict[date, int] = defaultdict(int)
    for number, invoice in sorted(invoices.items(), key=lambda entry: entry[1].placed_at):
        day = invoice.placed_at.date()
        revenue[day] += ZERO if number[0] == "C" else invoice.amount
        orders[day] += 1
    return dict(revenue), dict(orders)
