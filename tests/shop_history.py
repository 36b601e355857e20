"""A seeded life of a shop as change logs: guests, cancelled and deleted orders, late and moved ones.

Unlike the generator's, its days are the shop's own (``created_at`` lies where the test wants it), and
whatever a model may depend on changes now and then: registrations, categories, costs, customers of orders.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from concord.contracts.model import Dataset
from concord.contracts.names import TOPIC_PARTITIONS, cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS, OrderStatus
from tests.factories import change_row
from tests.visit_history import VisitHistory

Row = dict[str, Any]
FIRST_DAY = date(2024, 1, 5)
CATEGORIES = ("books", "games", "garden")


@dataclass
class ShopHistory:
    """Change logs so far, and the rows that PostgreSQL would hold."""

    seed: int
    day: date = FIRST_DAY
    logs: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})
    rows: dict[str, dict[int, Row]] = field(default_factory=lambda: {name: {} for name in TABLES})

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.clock = random.Random(self.seed)
        self.offsets: dict[tuple[str, int], int] = {}
        self.last_id = dict.fromkeys(TABLES, 0)
        self.visits = VisitHistory(self.seed)
        for _ in range(12):
            self.new_product()
        for _ in range(8):
            self.new_user()

    # --- what happens ---

    def live(self, days: int, changes: int = 12) -> "ShopHistory":
        """So many days with so many changes each."""
        for _ in range(days):
            self.day += timedelta(days=1)
            for _ in range(changes):
                self.dice.choices(
                    (
                        self.new_order,
                        self.advance_order,
                        self.cancel_order,
                        self.delete_order,
                        self.change_line,
                        self.move_order,
                        self.late_order,
                        self.new_user,
                        self.edit_user,
                        self.new_product,
                        self.edit_product,
                    ),
                    (30, 30, 6, 3, 6, 3, 3, 6, 4, 2, 10),
                )[0]()
            self.visits.live(self.day, sorted(self.rows["users"]), sorted(self.rows["products"]))
        return self

    def new_user(self) -> Row:
        return self.insert(
            USERS,
            email=self.dice.choice(("ann@example.com", "not an address")),
            first_name=self.dice.choice(("Ann", "", None)),
            last_name="Ünder",
            created_at=self.moment(),
            updated_at=self.moment(),
        )

    def edit_user(self) -> None:
        if user := self.any(USERS):
            registered = {"created_at": self.moment(self.dice.randint(0, 30))} if self.dice.random() < 0.3 else {}
            changed = {"email": TOAST_PLACEHOLDER, "last_name": "Over", "updated_at": self.moment()}
            self.update(USERS, user, **{**changed, **registered})

    def new_product(self) -> Row:
        return self.insert(
            PRODUCTS,
            name=f"article {self.last_id['products'] + 1}",
            description=None,
            price=self.money(30),
            cost=self.dice.choice((None, self.money(10))),
            stock_quantity=self.dice.randint(0, 300),
            category=self.dice.choice(CATEGORIES),
            created_at=self.moment(),
            updated_at=self.moment(),
        )

    def edit_product(self) -> None:
        if product := self.any(PRODUCTS):
            change: Row = self.dice.choice(
                (
                    {"stock_quantity": self.dice.randint(0, 300)},
                    {"price": self.money(30)},
                    {"cost": self.money(10)},
                    {"category": self.dice.choice(CATEGORIES)},
                    {"name": f"renamed {self.dice.randint(1, 9)}"},
                )
            )
            self.update(PRODUCTS, product, updated_at=self.moment(), **change)

    def new_order(self, days_ago: int = 0, lines: int | None = None, **named: Any) -> Row:
        """An order with its lines; some are a guest's, some have no line yet."""
        created_at = self.moment(days_ago)
        user = self.any(USERS) if self.dice.random() < 0.85 else None
        order_id = self.last_id["orders"] + 1
        products = [self.any(PRODUCTS) for _ in range(self.dice.randint(0, 5) if lines is None else lines)]
        written = [self.new_line(order_id, product, created_at) for product in products if product]
        total = sum((line["quantity"] * line["unit_price"] for line in written), Decimal("0.00"))
        values = {
            "external_id": None,
            "user_id": user["id"] if user else None,
            "status": OrderStatus.PENDING,
            "total_amount": total,
            "shipping_address": self.dice.choice(("Main Street 1", "", None)),
            "created_at": created_at,
            "updated_at": created_at,
        }
        return self.insert(ORDERS, **{**values, **named})

    def new_line(self, order_id: int, product: Row, created_at: datetime) -> Row:
        quantity = self.dice.choice((1, 1, 2, 3, 7, -1))
        price = product["price"] if self.dice.random() < 0.7 else self.money(30)
        values = {"order_id": order_id, "product_id": product["id"], "quantity": quantity, "unit_price": price}
        return self.insert(ORDER_ITEMS, **values, created_at=created_at)

    def advance_order(self) -> None:
        if order := self.any(ORDERS):
            status = self.dice.choice((OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED))
            self.update(ORDERS, order, status=status, shipping_address=TOAST_PLACEHOLDER, updated_at=self.moment())

    def cancel_order(self) -> None:
        if order := self.any(ORDERS):
            self.update(ORDERS, order, status=OrderStatus.CANCELLED, updated_at=self.moment())

    def move_order(self) -> None:
        """To another day, to another customer, or to another total."""
        if order := self.any(ORDERS):
            user = self.any(USERS)
            change: Row = self.dice.choice(
                (
                    {"created_at": self.moment(self.dice.randint(0, 45))},
                    {"user_id": user["id"] if user else None},
                    {"total_amount": self.money(300)},
                )
            )
            self.update(ORDERS, order, updated_at=self.moment(), **change)

    def late_order(self) -> None:
        self.new_order(days_ago=min(40, (self.day - FIRST_DAY).days))

    def delete_order(self) -> None:
        if order := self.any(ORDERS):
            for line in [line for line in self.rows["order_items"].values() if line["order_id"] == order["id"]]:
                self.delete(ORDER_ITEMS, line["id"])
            self.delete(ORDERS, order["id"])

    def change_line(self) -> None:
        if line := self.any(ORDER_ITEMS):
            product = self.any(PRODUCTS)
            assert product
            if self.dice.random() < 0.3:
                self.delete(ORDER_ITEMS, line["id"])
            else:
                self.update(ORDER_ITEMS, line, product_id=product["id"], quantity=self.dice.randint(1, 9))

    # --- how it is written down ---

    def insert(self, table: Dataset, **values: Any) -> Row:
        self.last_id[table.name] += 1
        values = {"id": self.last_id[table.name], **values}
        self.log(table, "c", values)
        return values

    def update(self, table: Dataset, row: Row, **changed: Any) -> None:
        self.log(table, "u", {**row, **changed})

    def delete(self, table: Dataset, key: int) -> None:
        del self.rows[table.name][key]
        self.logs[table.name].append(change_row(table, "d", id=key, **self._place(table, key)))

    def log(self, table: Dataset, op: str, values: Row) -> None:
        named = {name: values[name] for name in table.names if name in values}
        self.logs[table.name].append(change_row(table, op, values["id"], **named, **self._place(table, values["id"])))
        before = self.rows[table.name].get(values["id"], {})
        kept = {name: before[name] for name, value in values.items() if value == TOAST_PLACEHOLDER}
        self.rows[table.name][values["id"]] = {**values, **kept}

    def _place(self, table: Dataset, key: int) -> Row:
        """A key stays in its partition; offsets have gaps, as transaction markers leave them."""
        partition = key % TOPIC_PARTITIONS
        offset = self.offsets.get((table.name, partition), -1) + self.dice.randint(1, 3)
        self.offsets[table.name, partition] = offset
        return {"_partition": partition, "offset": offset, "__source_ts_ms": self._committed()}

    def _committed(self) -> datetime:
        """Some time of the day: a few commits share a millisecond, and now and then the clock was set back."""
        return datetime.combine(self.day, time(self.clock.randint(0, 5)), UTC)

    def position(self) -> Position:
        """Everything so far."""
        held = ((cdc_topic(TABLES[name]), part, last) for (name, part), last in self.offsets.items())
        return Position.of(held).merge(Position(self.visits.offsets))

    def as_of(self) -> datetime:
        """The end of the day."""
        return datetime.combine(self.day, time(23, 59, 59), UTC)

    def above(self, position: Position) -> dict[str, Sequence[Row]]:
        """The changes, and the events, above a position, per table."""
        logs = {**self.logs, "events": self.visits.rows}
        return {name: [row for row in rows if not _holds(position, row)] for name, rows in logs.items()}

    # --- chance ---

    def any(self, table: Dataset) -> Row | None:
        rows = self.rows[table.name]
        return rows[self.dice.choice(sorted(rows))] if rows else None

    def moment(self, days_ago: int = 0) -> datetime:
        at = time(self.dice.randint(0, 23), self.dice.randint(0, 59), 59, 999000)
        return datetime.combine(self.day - timedelta(days=days_ago), at, UTC)

    def money(self, most: int) -> Decimal:
        return Decimal(self.dice.randint(1, most * 100)) / 100


def _holds(position: Position, row: Row) -> bool:
    key = row["_topic"], row["_partition"]
    return any((topic, part) == key and row["_offset"] <= last for topic, part, last in position)
