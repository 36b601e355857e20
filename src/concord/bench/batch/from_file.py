"""A published file of invoices as the same change logs: everything up to its last day, and that day."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from concord.bench.batch.logs import Numbers, Values, changes, in_order, money
from concord.bench.batch.shop import Life
from concord.contracts.model import Dataset
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, USERS, OrderStatus
from concord.ingest import lifecycle
from concord.ingest.online_retail.run import prepare

DAY = timedelta(days=1)


def life_of(path: Path) -> Life:
    """Raises :class:`ContractViolation` naming file, row and column if the file is not sound."""
    plan = prepare(path).plan
    last = plan.orders["created_at"].max()
    assert isinstance(last, datetime)
    day = last.replace(hour=0, minute=0, second=0, microsecond=0)
    end = day + DAY
    orders = plan.orders.with_columns(id=pl.col("rank") + 1, updated_at=pl.col("created_at"))
    products = plan.products.with_columns(id=pl.col("rank") + 1, updated_at=pl.col("created_at"))
    lines = plan.items.with_columns(
        id=pl.col("rank") + 1, order_id=pl.col("order") + 1, product_id=pl.col("product") + 1
    )
    placed = orders.select(pl.col("id").alias("order_id"), pl.col("created_at").alias("placed_at"))
    lines = lines.join(placed, on="order_id", maintain_order="left")
    first_sold = lines.group_by("product_id").agg(pl.col("placed_at").min())
    products = products.join(first_sold, left_on="id", right_on="product_id", maintain_order="left")
    logs = {
        USERS.name: in_order(USERS, _created(USERS, plan.users.with_columns(updated_at=pl.col("created_at")))),
        PRODUCTS.name: in_order(PRODUCTS, _created(PRODUCTS, products, {"price": "cents"}, at="placed_at")),
        ORDERS.name: in_order(ORDERS, _created(ORDERS, orders, {"total_amount": "cents"}), _lives(orders, end)),
        ORDER_ITEMS.name: in_order(ORDER_ITEMS, _created(ORDER_ITEMS, lines, {"unit_price": "cents"}, at="placed_at")),
    }
    return Life(logs, _ms(day), _ms(end))


def _created(
    table: Dataset, rows: pl.DataFrame, amounts: dict[str, str] | None = None, at: str = "created_at", op: str = "c"
) -> pa.Table:
    """``amounts``: columns of money and where their cents are."""
    columns: dict[str, Values] = {
        name: rows[name].to_arrow() for name in table.names if name in rows.columns and name not in (amounts or {})
    }
    columns |= {name: money(rows[cents].to_numpy().astype(np.int64)) for name, cents in (amounts or {}).items()}
    return changes(table, op, _epoch_ms(rows[at]), columns)


def _lives(orders: pl.DataFrame, end: datetime) -> pa.Table:
    """Every later status that was reached before the end."""
    pending = orders.filter(pl.col("status") == str(OrderStatus.PENDING))
    steps = [
        (id, str(status), reached)
        for id, number, placed in pending.select("id", "external_id", "created_at").iter_rows()
        for status, reached in lifecycle.steps(number, placed)
        if reached < end
    ]
    reached = pl.DataFrame(
        steps, schema={"id": pl.Int64, "status": pl.String, "updated_at": pl.Datetime("ms", "UTC")}, orient="row"
    )
    rows = reached.join(orders.drop("status", "updated_at"), on="id", maintain_order="left")
    return _created(ORDERS, rows, {"total_amount": "cents"}, at="updated_at", op="u")


def _epoch_ms(instants: pl.Series) -> Numbers:
    return np.asarray(instants.dt.epoch("ms").to_numpy())


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
