"""A made-up shop as change logs: seeded, in order, placed as one producer would, written as Debezium writes."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from concord.bench.batch import shop
from concord.bench.batch.compare import compare
from concord.bench.batch.files import OnDisk
from concord.bench.batch.logs import Offsets, changes, count, epoch_ms, instants, money, split
from concord.bench.batch.to_kafka import records
from concord.contracts.tables import ORDER_ITEMS, ORDERS, TABLES, TOAST_PLACEHOLDER, OrderStatus
from tests.factories import change_record

LINES = 2_000


@pytest.fixture(scope="module")
def life() -> shop.Life:
    return shop.life(LINES)


def test_the_same_seed_gives_the_same_rows_and_another_one_others(life: shop.Life) -> None:
    assert shop.life(LINES).logs == life.logs
    assert shop.life(LINES, seed=2).logs["orders"] != life.logs["orders"]


def test_the_day_that_follows_is_a_hundredth(life: shop.Life) -> None:
    history, day = shop.parted(life)
    assert count(history) + count(day) == count(life.logs)
    assert 0 < day["order_items"].num_rows < LINES / 40
    assert int(epoch_ms(day["orders"]["created_at"])[-1]) < life.end_ms


def test_order_totals_are_those_of_their_lines(life: shop.Life) -> None:
    lines = life.logs["order_items"].filter(pa.compute.equal(life.logs["order_items"]["__op"], "c"))
    totals: dict[int, object] = {}
    for line in lines.select(["order_id", "quantity", "unit_price"]).to_pylist():
        totals[line["order_id"]] = totals.get(line["order_id"], 0) + line["quantity"] * line["unit_price"]
    for order in life.logs["orders"].select(["id", "total_amount"]).to_pylist():
        assert order["total_amount"] == totals.get(order["id"], 0)


def test_what_a_model_may_stumble_over_is_there(life: shop.Life) -> None:
    orders = life.logs["orders"].to_pylist()
    assert {row["status"] for row in orders} == {OrderStatus.PENDING, OrderStatus.DELIVERED, OrderStatus.CANCELLED}
    assert any(row["user_id"] is None for row in orders)
    assert any(row["shipping_address"] == TOAST_PLACEHOLDER for row in orders)
    assert {*life.logs["order_items"]["__op"].to_pylist()} == {"c", "d"}


def test_nobody_orders_before_being_registered(life: shop.Life) -> None:
    users = [row for row in life.logs["users"].to_pylist() if row["__op"] == "c"]
    registered = {row["id"]: row["created_at"] for row in users}
    orders = [row for row in life.logs["orders"].to_pylist() if row["user_id"] is not None]
    assert orders
    assert all(registered[row["user_id"]] < row["created_at"] for row in orders)


def test_first_lines_cut_every_table_at_one_moment(life: shop.Life) -> None:
    first, rest = shop.first_lines(life.logs, 500)
    latest = shop.last_moment(first)
    assert first["order_items"].num_rows <= 500 < first["order_items"].num_rows + 20
    assert all(int(epoch_ms(rows["__source_ts_ms"])[0]) >= latest for rows in rest.values() if rows.num_rows)
    assert count(shop.first_lines(life.logs, 0)[0]) == 0
    assert count(shop.first_lines(life.logs, 10 * LINES)[1]) == 0


def test_edits_touch_one_line_in_a_hundred_and_delete_a_tenth_of_them(life: shop.Life) -> None:
    there = shop.lines_there(life.logs["order_items"])
    edited = shop.edits(life.logs["order_items"], 1)["order_items"]
    assert edited.num_rows == round(there.num_rows / 100)
    assert {*edited["id"].to_pylist()} <= {*there["id"].to_pylist()}
    assert {*edited["__op"].to_pylist()} == {"u", "d"}


def test_offsets_are_numbered_per_partition_and_go_on(life: shop.Life) -> None:
    offsets = Offsets()
    parts = [offsets.placed(ORDERS, logs["orders"]) for logs in shop.parted(life)]
    rows = pa.concat_tables(parts).select(["id", "_partition", "_offset"]).to_pylist()
    for partition in range(4):
        its = [row for row in rows if row["_partition"] == partition]
        assert [row["_offset"] for row in its] == list(range(len(its)))
        assert all(row["id"] % 4 == partition for row in its)


def test_logs_on_disk_are_the_same(life: shop.Life, tmp_path: Path) -> None:
    stored = OnDisk(tmp_path / "life", life.logs)
    assert list(stored) == list(life.logs)
    assert all(stored[name].to_pylist() == rows.to_pylist() for name, rows in life.logs.items())


def test_amounts_are_exact() -> None:
    cents = np.array([0, 1, -1, 12_345_678, -99], dtype=np.int64)
    assert [str(amount) for amount in money(cents).to_pylist()] == ["0.00", "0.01", "-0.01", "123456.78", "-0.99"]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_record_has_the_fields_and_kinds_of_debeziums(life: shop.Life, table) -> None:
    rows = life.logs[table.name].slice(0, 3)
    wanted = {name: type(value) for name, value in change_record(table).items()}
    for (partition, key, value), row in zip(records(table, rows), rows.to_pylist(), strict=True):
        document = json.loads(value)
        assert json.loads(key) == {"id": row["id"]}
        assert partition == row["id"] % 4
        assert set(document) == set(wanted)
        assert all(isinstance(found, wanted[name]) for name, found in document.items() if found is not None)
        assert document["created_at"] == row["created_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_delete_carries_its_key_alone() -> None:
    gone = changes(ORDER_ITEMS, "d", np.array([1000]), {"id": pa.array([7])})
    ((_, _, value),) = records(ORDER_ITEMS, gone)
    document = json.loads(value)
    assert (document["id"], document["order_id"], document["__op"], document["__deleted"]) == (7, None, "d", "true")


# --- the comparison that voids a run ---


def lines(*quantities: int) -> pa.Table:
    number = len(quantities)
    columns = {
        "id": pa.array(range(1, number + 1)),
        "quantity": pa.array(quantities, pa.int64()),
        "unit_price": money(np.full(number, 150)),
        "created_at": instants(np.arange(number)),
    }
    return changes(ORDER_ITEMS, "c", np.arange(number), columns).select(ORDER_ITEMS.names)


def compared(found: pa.Table):
    with duckdb.connect() as duck:
        duck.register("wanted", lines(1, 2, 3))
        return compare(duck, "lines", ORDER_ITEMS.columns, "wanted", lambda where: found)


def test_equal_rows_in_another_order_and_of_other_types_are_equal() -> None:
    found = lines(1, 2, 3).take([2, 0, 1])
    wider = found.set_column(3, "quantity", found["quantity"].cast(pa.int64()))
    assert compared(wider).is_equal
    assert compared(wider).rows == 3


@pytest.mark.parametrize(
    ("found", "only_expected", "only_found"),
    [(lines(1, 2), 1, 0), (lines(1, 2, 4), 1, 1), (pa.concat_tables([lines(1, 2, 3), lines(1)]), 0, 1)],
    ids=["missing", "changed", "twice"],
)
def test_a_row_that_differs_is_found_and_shown(found: pa.Table, only_expected: int, only_found: int) -> None:
    answer = compared(found)
    assert (answer.only_expected, answer.only_found) == (only_expected, only_found)
    assert not answer.is_equal
    assert "1.50" in str(answer)


@pytest.mark.parametrize("expected", ["wanted", "(select * replace (id::decimal(38, 0) as id) from wanted)"])
def test_every_key_is_asked_for_once(monkeypatch: pytest.MonkeyPatch, expected: str) -> None:
    monkeypatch.setattr("concord.bench.batch.compare.ROWS_AT_ONCE", 2)
    asked: list[str | None] = []
    rows = lines(*range(1, 6))
    parts = {"id < 2": rows[:1], "id >= 2 and id < 4": rows[1:3], "id >= 4": rows[3:]}

    def fetch(where: str | None) -> pa.Table:
        asked.append(where)
        return parts[where]

    with duckdb.connect() as duck:
        duck.register("wanted", rows)
        assert compare(duck, "lines", ORDER_ITEMS.columns, expected, fetch).is_equal
    assert asked == list(parts)


def test_logs_are_split_at_a_moment(life: shop.Life) -> None:
    before, after = split({ORDERS.name: life.logs[ORDERS.name]}, life.day_ms)
    assert max(epoch_ms(before[ORDERS.name]["__source_ts_ms"])) < life.day_ms
    assert min(epoch_ms(after[ORDERS.name]["__source_ts_ms"])) >= life.day_ms
