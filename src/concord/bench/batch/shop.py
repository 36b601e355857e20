"""A shop's life made of arrays: so many order lines over a hundred days and one more, seeded, in seconds.

The day that follows is a hundredth of it. What a model may stumble over is there: guests, orders without a line,
cancelled and delivered ones, deleted lines, missing names and costs, and values that an update leaves out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from concord.bench.batch.logs import Logs, Numbers, Values, changes, compute, epoch_ms, in_order, instants, money, split
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, TOAST_PLACEHOLDER, USERS, OrderStatus

Flags = npt.NDArray[np.bool_]
BEGIN_MS = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
MINUTE_MS, DAY_MS = 60_000, 86_400_000
BEFORE_ALL_MS = 0
DAYS = 100
LINES_PER_ORDER = 4
LINES_PER_CUSTOMER = 50
LINES_PER_PRODUCT, FEWEST_PRODUCTS, MOST_PRODUCTS = 50, 20, 2_000
CATEGORIES = 20
PARTS_CANCELLED, PARTS_DELIVERED = 0.06, 0.84
GUESTS, DISCOUNTED, LEFT_OUT, DELETED_LINES = 0.1, 0.2, 0.1, 0.001
EDITED_USERS, RESTOCKED_A_DAY = 0.01, 0.02
EDITED_LINES, EDITS_THAT_DELETE = 0.01, 0.1


@dataclass(frozen=True)
class Life:
    """Every change up to ``end_ms``; the last day, from ``day_ms`` on, is what an incremental batch takes in."""

    logs: Logs
    day_ms: int
    end_ms: int


def life(lines: int, seed: int = 1) -> Life:
    """``lines`` order lines within :data:`DAYS` days, as many a day on the next one."""
    dice = np.random.default_rng(seed)
    day_ms, end_ms = BEGIN_MS + DAYS * DAY_MS, BEGIN_MS + (DAYS + 1) * DAY_MS
    total = lines + lines // DAYS
    products = _Products.drawn(dice, min(MOST_PRODUCTS, max(FEWEST_PRODUCTS, total // LINES_PER_PRODUCT)))
    orders = _Orders.drawn(dice, total, products, end_ms)
    logs = {
        USERS.name: _users(dice, orders.registered, end_ms),
        PRODUCTS.name: products.log(dice, end_ms),
        ORDERS.name: orders.log(dice, end_ms),
        ORDER_ITEMS.name: orders.lines_log(dice, end_ms),
    }
    return Life(logs, day_ms, end_ms)


def parted(life: Life) -> tuple[Logs, Logs]:
    """What was there, and the day that follows."""
    return split(life.logs, life.day_ms)


def first_lines(logs: Logs, lines: int) -> tuple[Logs, Logs]:
    """The changes up to those of so many lines, and the rest; all tables are cut at one moment."""
    rows = logs[ORDER_ITEMS.name]
    if lines >= rows.num_rows:
        return split(logs, last_moment(logs) + 1)
    return split(logs, int(epoch_ms(rows["__source_ts_ms"])[lines]) if lines else BEFORE_ALL_MS)


def edits(log: pa.Table, seed: int) -> Logs:
    """After all changes of order lines so far: of 1 % of those that are there, all over the table. A tenth deletes."""
    lines, at_ms = lines_there(log), last_moment({ORDER_ITEMS.name: log}) + DAY_MS
    dice = np.random.default_rng((seed, 1))
    chosen = np.sort(dice.choice(lines.num_rows, max(1, round(lines.num_rows * EDITED_LINES)), replace=False))
    is_delete = dice.random(len(chosen)) < EDITS_THAT_DELETE
    changed, gone = lines.take(chosen[~is_delete]), lines.take(chosen[is_delete])
    columns = {name: changed[name].combine_chunks() for name in ORDER_ITEMS.names}
    columns["quantity"] = pa.array(dice.integers(1, 10, changed.num_rows))
    updated = changes(ORDER_ITEMS, "u", np.full(changed.num_rows, at_ms), columns)
    deleted = changes(ORDER_ITEMS, "d", np.full(gone.num_rows, at_ms + 1), {"id": gone["id"].combine_chunks()})
    return {ORDER_ITEMS.name: in_order(ORDER_ITEMS, updated, deleted)}


@dataclass(frozen=True)
class _Products:
    cents: Numbers

    @classmethod
    def drawn(cls, dice: np.random.Generator, number: int) -> "_Products":
        return cls(dice.integers(50, 5_000, number))

    def log(self, dice: np.random.Generator, end_ms: int) -> pa.Table:
        ids = np.arange(1, len(self.cents) + 1)
        begin = np.full(len(ids), BEGIN_MS)
        stock = dice.integers(0, 1_000, len(ids))
        made = changes(PRODUCTS, "c", begin, self._columns(ids, stock, begin))
        restocks = max(1, round(len(ids) * RESTOCKED_A_DAY)) * (DAYS + 1)
        which = dice.integers(0, len(ids), restocks)
        at = np.sort(dice.integers(BEGIN_MS + 1, end_ms, restocks))
        columns = self._columns(ids[which], dice.integers(0, 1_000, restocks), at)
        left_out = pa.repeat(TOAST_PLACEHOLDER, restocks)
        again = changes(PRODUCTS, "u", at, {**columns, "name": left_out, "description": left_out})
        return in_order(PRODUCTS, made, again)

    def _columns(self, ids: Numbers, stock: Numbers, at: Numbers) -> dict[str, Values]:
        cents = self.cents[ids - 1]
        return {
            "id": pa.array(ids),
            "sku": _named("sku-", ids),
            "name": _named("article ", ids),
            "description": _named("what article ", ids, is_missing=ids % 2 == 0),
            "price": money(cents),
            "cost": _unless(ids % 10 == 0, money(cents * 6 // 10)),
            "stock_quantity": pa.array(stock),
            "category": _named("category ", ids % CATEGORIES),
            "created_at": instants(np.full(len(ids), BEGIN_MS)),
            "updated_at": instants(at),
        }


@dataclass(frozen=True)
class _Orders:
    """``registered``: of each customer. ``placed``, ``customer``: of each order. The others: of each line."""

    registered: Numbers
    placed: Numbers
    customer: Numbers
    order_of: Numbers
    product_of: Numbers
    quantity: Numbers
    cents: Numbers

    @classmethod
    def drawn(cls, dice: np.random.Generator, lines: int, products: _Products, end_ms: int) -> "_Orders":
        number = max(1, lines // LINES_PER_ORDER)
        registered = np.sort(dice.integers(BEGIN_MS, end_ms - DAY_MS // 2, max(10, lines // LINES_PER_CUSTOMER)))
        placed = np.sort(dice.integers(registered[0] + 1, end_ms, number))
        # An order's customer is there already, as the shop's foreign key has it.
        there = np.searchsorted(registered, placed)
        # Squared: few products are in many orders.
        product = (dice.random(lines) ** 2 * len(products.cents)).astype(np.int64)
        price = products.cents[product]
        return cls(
            registered=registered,
            placed=placed,
            customer=1 + (dice.random(number) * there).astype(np.int64),
            order_of=np.sort(dice.integers(0, number, lines)),
            product_of=product + 1,
            quantity=dice.integers(1, 7, lines),
            cents=np.where(dice.random(lines) < DISCOUNTED, price * 9 // 10, price),
        )

    def log(self, dice: np.random.Generator, end_ms: int) -> pa.Table:
        ids, number = np.arange(1, len(self.placed) + 1), len(self.placed)
        made = changes(ORDERS, "c", self.placed, self._columns(ids, OrderStatus.PENDING, self.placed))
        fate = dice.random(number)
        is_cancelled = fate < PARTS_CANCELLED
        is_delivered = ~is_cancelled & (fate < PARTS_CANCELLED + PARTS_DELIVERED)
        soon = self.placed + dice.integers(5 * MINUTE_MS, 240 * MINUTE_MS, number)
        later = self.placed + dice.integers(DAY_MS, 5 * DAY_MS, number)
        cancelled = self._become(dice, ids, is_cancelled & (soon < end_ms), OrderStatus.CANCELLED, soon)
        delivered = self._become(dice, ids, is_delivered & (later < end_ms), OrderStatus.DELIVERED, later)
        return in_order(ORDERS, made, cancelled, delivered)

    def _become(
        self,
        dice: np.random.Generator,
        ids: Numbers,
        which: Flags,
        status: OrderStatus,
        at: Numbers,
    ) -> pa.Table:
        columns = self._columns(ids[which], status, at[which])
        is_left_out = pa.array(dice.random(int(which.sum())) < LEFT_OUT)
        address = compute.if_else(is_left_out, TOAST_PLACEHOLDER, columns["shipping_address"])
        return changes(ORDERS, "u", at[which], {**columns, "shipping_address": address})

    def _columns(self, ids: Numbers, status: OrderStatus, at: Numbers) -> dict[str, Values]:
        totals = np.bincount(self.order_of, weights=self.quantity * self.cents, minlength=len(self.placed))
        is_guest = ids % round(1 / GUESTS) == 0
        return {
            "id": pa.array(ids),
            "external_id": _named("W", ids),
            "user_id": _unless(is_guest, pa.array(self.customer[ids - 1])),
            "status": pa.repeat(str(status), len(ids)),
            "total_amount": money(totals[ids - 1].astype(np.int64)),
            "shipping_address": _named("Main Street ", ids % 1_000, is_missing=ids % 50 == 0),
            "created_at": instants(self.placed[ids - 1]),
            "updated_at": instants(at),
        }

    def lines_log(self, dice: np.random.Generator, end_ms: int) -> pa.Table:
        ids, at = np.arange(1, len(self.order_of) + 1), self.placed[self.order_of]
        columns = {
            "id": pa.array(ids),
            "order_id": pa.array(self.order_of + 1),
            "product_id": pa.array(self.product_of),
            "quantity": pa.array(self.quantity),
            "unit_price": money(self.cents),
            "created_at": instants(at),
        }
        is_deleted = (dice.random(len(ids)) < DELETED_LINES) & (at + DAY_MS < end_ms)
        deleted = changes(ORDER_ITEMS, "d", at[is_deleted] + DAY_MS, {"id": pa.array(ids[is_deleted])})
        return in_order(ORDER_ITEMS, changes(ORDER_ITEMS, "c", at, columns), deleted)


def _users(dice: np.random.Generator, registered: Numbers, end_ms: int) -> pa.Table:
    number = len(registered)
    ids = np.arange(1, number + 1)

    def columns(ids: Numbers, last_name: str, at: Numbers) -> dict[str, Values]:
        return {
            "id": pa.array(ids),
            "email": compute.binary_join_element_wise(
                _named("customer.", ids), pa.repeat("example.com", len(ids)), "@"
            ),
            "first_name": _named("First", ids % 100, is_missing=ids % 50 == 0),
            "last_name": pa.repeat(last_name, len(ids)),
            "created_at": instants(registered[ids - 1]),
            "updated_at": instants(at),
        }

    made = changes(USERS, "c", registered, columns(ids, "Ünder", registered))
    edited = np.sort(dice.choice(ids, max(1, round(number * EDITED_USERS)), replace=False))
    at = np.minimum(registered[edited - 1] + dice.integers(1, 30 * DAY_MS, len(edited)), end_ms - 1)
    left_out = pa.repeat(TOAST_PLACEHOLDER, len(edited))
    again = changes(USERS, "u", at, {**columns(edited, "Over", at), "email": left_out})
    return in_order(USERS, made, again)


def lines_there(log: pa.Table) -> pa.Table:
    """Order lines as they came to be, without those that were deleted."""
    is_made, is_gone = (compute.equal(log["__op"], op) for op in ("c", "d"))
    gone = log.filter(is_gone)["id"].combine_chunks()
    return log.filter(compute.and_(is_made, compute.invert(compute.is_in(log["id"], gone))))


def last_moment(logs: Logs) -> int:
    """When the last of these changes was committed, in milliseconds."""
    return max(int(epoch_ms(rows["__source_ts_ms"])[-1]) for rows in logs.values() if rows.num_rows)


def _named(prefix: str, ids: Numbers, is_missing: Flags | None = None) -> Values:
    text = compute.binary_join_element_wise(prefix, pa.array(ids).cast(pa.string()), "")
    return text if is_missing is None else _unless(is_missing, text)


def _unless(is_missing: Flags, values: Values) -> Values:
    return compute.if_else(pa.array(is_missing), pa.scalar(None, values.type), values)
