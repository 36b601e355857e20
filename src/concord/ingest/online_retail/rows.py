"""The plan's rows under their final ids, handed out order by order."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from concord.contracts.model import Dataset
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, USERS, OrderStatus
from concord.ingest import lifecycle
from concord.ingest.clickstream import Bought, Order
from concord.ingest.online_retail.ids import Ids, Loaded
from concord.ingest.online_retail.plan import Plan

Row = dict[str, Any]


class Rows:
    """Knows which users and products are still to come, so each is handed out once."""

    def __init__(self, plan: Plan, ids: Ids, done: Loaded) -> None:
        self._ids = ids
        self._done = done
        self._orders = {row["rank"]: row for row in plan.orders.iter_rows(named=True)}
        self._products = {row["rank"]: row for row in plan.products.iter_rows(named=True)}
        self._users = {row["id"]: row for row in plan.users.iter_rows(named=True)}
        self._items = plan.items.select("rank", "product", "quantity", "cents", "created_at").rows(named=True)
        self._new_products = {rank for rank in self._products if rank not in done.products}
        self._new_users = set(self._users) - done.users

    def order_id(self, order: int) -> int:
        return self._ids.orders[order]

    def life(self, order: int) -> list[tuple[OrderStatus, datetime]]:
        row = self._orders[order]
        return lifecycle.steps(row["external_id"], row["created_at"])

    def items_of(self, order: int) -> list[Row]:
        row = self._orders[order]
        return self._items[row["first_item"] : row["first_item"] + row["items"]]

    def placing(self, order: int) -> list[tuple[Dataset, list[Row]]]:
        """Every row that comes into being with this order, referenced tables first."""
        row = self._orders[order]
        items = self.items_of(order)
        new = dict.fromkeys(item["product"] for item in items if item["product"] in self._new_products)
        self._new_products.difference_update(new)
        return [
            (USERS, self._user_rows(row["user_id"])),
            (PRODUCTS, [self._product_row(rank) for rank in new]),
            (ORDERS, [self._order_row(row)]),
            (ORDER_ITEMS, [self._item_row(order, item) for item in items]),
        ]

    def order(self, order: int) -> Order:
        """The order as the clickstream sees it."""
        row = self._orders[order]
        bought = tuple(
            Bought(
                product_id=self._ids.products[item["product"]],
                category=self._products[item["product"]]["category"],
                name=self._products[item["product"]]["name"],
                quantity=item["quantity"],
                price=money(item["cents"]),
            )
            for item in self.items_of(order)
        )
        return Order(
            id=self.order_id(order),
            number=row["external_id"],
            user_id=row["user_id"],
            is_cancelled=row["status"] == OrderStatus.CANCELLED,
            total=money(row["cents"]),
            placed_at=row["created_at"],
            bought=bought,
        )

    def _user_rows(self, user: int | None) -> list[Row]:
        if user not in self._new_users:
            return []
        self._new_users.discard(user)
        row = self._users[user]
        return [{**row, "updated_at": row["created_at"]}]

    def _product_row(self, rank: int) -> Row:
        row = self._products[rank]
        return {**row, "id": self._ids.products[rank], "price": money(row["cents"]), "updated_at": row["created_at"]}

    def _order_row(self, row: Row) -> Row:
        total = money(row["cents"])
        return {**row, "id": self.order_id(row["rank"]), "total_amount": total, "updated_at": row["created_at"]}

    def _item_row(self, order: int, item: Row) -> Row:
        return {
            **item,
            "id": self._ids.items[item["rank"]],
            "order_id": self.order_id(order),
            "product_id": self._ids.products[item["product"]],
            "unit_price": money(item["cents"]),
        }


def money(cents: int) -> Decimal:
    """Cents as an exact amount with two places."""
    return Decimal(cents).scaleb(-2)
