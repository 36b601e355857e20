"""A file of invoices as change logs: what was there, and its last day."""

# ruff: noqa: DTZ001 - the published files carry no zone

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from concord.bench.batch import shop
from concord.bench.batch.from_file import life_of
from concord.contracts.tables import OrderStatus
from concord.errors import ContractViolation
from tests.retail import line, parquet

FIRST, LATER, LAST = datetime(2010, 12, 1, 8, 26), datetime(2010, 12, 20, 9), datetime(2010, 12, 21, 10)


def test_the_last_day_is_what_an_incremental_batch_takes_in(tmp_path: Path) -> None:
    file = parquet(
        tmp_path,
        line(at=FIRST),
        line(sku="71053", quantity=2, price=3.39, at=FIRST),
        line(invoice="C536379", quantity=-1, at=LATER),
        line(invoice="536380", sku="NEW", quantity=3, at=LAST, customer=None),
    )
    history, day = shop.parted(life_of(file))

    assert {name: rows.num_rows for name, rows in day.items() if name != "orders"} == {
        "users": 0,
        "products": 1,
        "order_items": 1,
    }
    assert [row["external_id"] for row in day["orders"].to_pylist()][:1] == ["536380"]
    first, *steps = [row for row in history["orders"].to_pylist() if row["external_id"] == "536365"]
    assert (first["status"], first["total_amount"]) == ("pending", Decimal("22.08"))
    assert [row["status"] for row in steps] == [OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED]
    cancelled = [row for row in history["orders"].to_pylist() if row["external_id"] == "C536379"]
    assert [row["status"] for row in cancelled] == [OrderStatus.CANCELLED]


def test_a_file_that_is_not_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractViolation, match=r"retail\.parquet"):
        life_of(parquet(tmp_path, line(sku="")))
