"""A file of Online Retail's shape with known faults, and where each of them is found."""

from pathlib import Path

from concord.gateways.postgres import Postgres
from tests import retail

LINES = (
    retail.line(invoice="Q00001", sku="Q85123A", customer=970001),
    retail.line(invoice="Q00001", sku="POST", price=-2.5, customer=970001),
    retail.line(invoice="Q00002", sku="Q85123A", quantity=-10, price=0.0, customer=None),
    retail.line(invoice="A970001", sku="Q85123A", customer=None),
)
FAULTS = {
    "orders.external_id.no_adjustment": {"A970001"},
    "orders.user_id.filled": {"Q00002", "A970001"},
    "order_items.quantity.above_zero": {"Q00002"},
    "order_items.unit_price.above_zero": {"Q00001", "Q00002"},
    "order_items.unit_price.not_negative": {"Q00001"},
    "order_items.category.article": {"Q00001"},
    "order_items.user_id.filled": {"Q00002", "A970001"},
}
"""Rule → invoices with a row that breaks it."""


def written(folder: Path) -> Path:
    """The file."""
    return retail.parquet(folder, *LINES)


def lines(postgres: Postgres) -> dict[int, str]:
    """Its lines in the shop, and the invoice of each."""
    return _invoices(postgres, "order_items.id", "order_items inner join orders on orders.id = order_id")


def orders(postgres: Postgres) -> dict[int, str]:
    """Its orders in the shop, and the invoice that each is."""
    return _invoices(postgres, "id", "orders")


def _invoices(postgres: Postgres, key: str, tables: str) -> dict[int, str]:
    own = [invoice for invoice, *_ in LINES]
    return dict(postgres.query(f"select {key}, external_id from {tables} where external_id = any(%s)", (own,)))
