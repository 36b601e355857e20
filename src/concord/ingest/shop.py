"""A synthetic shop: opens with a catalogue and customers, then lives from change to change. Pure."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from random import Random

from concord.contracts.model import Dataset
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, USERS, OrderStatus
from concord.ingest.changes import Change, ChangeKind, Delete, Ids, Insert, Row, Update
from concord.ingest.clickstream import Bought
from concord.ingest.made_up import person
from concord.rules.orders import LIFE_OF_AN_ORDER, may_become

ROWS_PER_TRANSACTION = 50
LONG_TEXT_BYTES = 6_000
"""Twice as many hexadecimal digits: PostgreSQL stores so long a text out of line (TOAST)."""
SHARE_OF_LONG_TEXTS = 0.1
SHARE_OF_GUESTS = 0.15
OPEN_ORDERS_KEPT = 50
"""Older orders advance before new ones, and so many stay open."""

COLOURS = ("amber", "blue", "crimson", "green", "ivory", "jade", "lilac", "navy", "ochre", "plum", "rose", "silver")
THINGS = {
    "kitchen": ("mug", "teapot", "bowl", "tray", "jug"),
    "lighting": ("lantern", "lamp", "candle", "string of lights"),
    "bags": ("shopper", "rucksack", "purse"),
    "toys": ("puzzle", "teddy bear", "kite", "yo-yo"),
    "garden": ("planter", "birdhouse", "watering can"),
    "stationery": ("notebook", "pencil case", "calendar"),
}
COUNTRIES = ("United Kingdom", "Germany", "France", "Ireland", "Spain", "Netherlands", "日本", "Österreich")

WEIGHTS = {
    ChangeKind.PLACE_ORDER: 42,
    ChangeKind.ADVANCE_ORDER: 36,
    ChangeKind.CANCEL_ORDER: 3,
    ChangeKind.DELETE_ORDER: 1,
    ChangeKind.REPRICE: 5,
    ChangeKind.RESTOCK: 5,
    ChangeKind.DESCRIBE: 1,
    ChangeKind.NEW_PRODUCT: 1,
    ChangeKind.NEW_USER: 3,
    ChangeKind.EDIT_USER: 2,
    ChangeKind.DELETE_USER: 1,
}


@dataclass(frozen=True)
class Cart:
    """What somebody is about to order; ``user_id`` is None for a guest."""

    user_id: int | None
    articles: tuple[Bought, ...]


@dataclass(frozen=True)
class PlacedOrder:
    """An order of this shop; its total is the sum of its lines."""

    id: int
    user_id: int | None
    status: OrderStatus
    total: Decimal


class Shop:
    """State and chance of one run. ``name`` makes its SKUs and addresses unlike those of other runs."""

    def __init__(self, rng: Random, ids: Ids, name: str) -> None:
        self._rng = rng
        self._ids = ids
        self._name = name
        self._articles: dict[int, Bought] = {}
        self._article_ids: list[int] = []
        self._users: list[int] = []
        self._seen: set[int] = set()
        self._open: deque[PlacedOrder] = deque()
        self._closed: list[PlacedOrder] = []
        self._makers: dict[ChangeKind, Callable[[datetime], Change | None]] = {
            ChangeKind.ADVANCE_ORDER: self._advance,
            ChangeKind.CANCEL_ORDER: self._cancel,
            ChangeKind.DELETE_ORDER: self._delete_order,
            ChangeKind.REPRICE: self._reprice,
            ChangeKind.RESTOCK: self._restock,
            ChangeKind.DESCRIBE: self._describe,
            ChangeKind.NEW_PRODUCT: lambda at: self._insert(ChangeKind.NEW_PRODUCT, PRODUCTS, [self._new_product(at)]),
            ChangeKind.NEW_USER: lambda at: self._insert(ChangeKind.NEW_USER, USERS, [self._new_user(at)]),
            ChangeKind.EDIT_USER: self._edit_user,
            ChangeKind.DELETE_USER: self._delete_user,
        }

    # --- what visits need to know ---

    def random_user(self) -> int | None:
        """A customer, or nobody: some buy as guests. Whoever was handed out is never deleted."""
        if self._rng.random() < SHARE_OF_GUESTS:
            return None
        user = self._rng.choice(self._users)
        self._seen.add(user)
        return user

    def random_articles(self, most: int) -> tuple[Bought, ...]:
        """One to ``most`` different articles, some pieces each."""
        chosen = self._rng.sample(self._article_ids, min(self._rng.randint(1, most), len(self._article_ids)))
        return tuple(replace(self._articles[id_], quantity=self._rng.randint(1, 6)) for id_ in chosen)

    # --- what happens ---

    def opening(self, users: int, products: int, at: datetime) -> Iterator[Change]:
        """Customers and catalogue, some dozens a transaction. Before it there is nothing to sell."""
        for size in _portions(users):
            yield self._insert(ChangeKind.OPENING, USERS, [self._new_user(at) for _ in range(size)])
        for size in _portions(products):
            yield self._insert(ChangeKind.OPENING, PRODUCTS, [self._new_product(at) for _ in range(size)])

    def draw_kind(self) -> ChangeKind:
        """What shall happen next; whether it can is another matter."""
        return self._rng.choices(tuple(WEIGHTS), weights=tuple(WEIGHTS.values()))[0]

    def change(self, kind: ChangeKind, at: datetime) -> Change | None:
        """A change of this kind, None if there is nothing it could be done to. Orders are placed by :meth:`place`."""
        return self._makers[kind](at)

    def place(self, cart: Cart, at: datetime) -> tuple[PlacedOrder, Change]:
        """Somebody orders what is in the cart, at the prices the cart remembers."""
        total = sum((article.price * article.quantity for article in cart.articles), Decimal("0.00"))
        order = PlacedOrder(self._ids.next(ORDERS), cart.user_id, OrderStatus.PENDING, total)
        self._open.append(order)
        row = {
            "id": order.id,
            "user_id": cart.user_id,
            "status": order.status,
            "total_amount": total,
            "shipping_address": f"{self._rng.randint(1, 99)} High Street, {self._rng.choice(COUNTRIES)}",
            **_stamps(at),
        }
        lines = [self._line(order.id, article, at) for article in cart.articles]
        return order, Change(ChangeKind.PLACE_ORDER, (Insert(ORDERS, [row]), Insert(ORDER_ITEMS, lines)))

    def random_cart(self) -> Cart:
        """A cart that no click has filled."""
        return Cart(self.random_user(), self.random_articles(4))

    def _line(self, order_id: int, article: Bought, at: datetime) -> Row:
        return {
            "id": self._ids.next(ORDER_ITEMS),
            "order_id": order_id,
            "product_id": article.product_id,
            "quantity": article.quantity,
            "unit_price": article.price,
            "created_at": at,
        }

    def _advance(self, at: datetime) -> Change | None:
        if not self._open:
            return None
        index = 0 if len(self._open) > OPEN_ORDERS_KEPT else self._rng.randrange(len(self._open))
        order = self._open[index]
        status = LIFE_OF_AN_ORDER[LIFE_OF_AN_ORDER.index(order.status) + 1]
        return self._set_status(ChangeKind.ADVANCE_ORDER, index, status, at)

    def _cancel(self, at: datetime) -> Change | None:
        indexes = [i for i, order in enumerate(self._open) if may_become(order.status, OrderStatus.CANCELLED)]
        if not indexes:
            return None
        return self._set_status(ChangeKind.CANCEL_ORDER, self._rng.choice(indexes), OrderStatus.CANCELLED, at)

    def _set_status(self, kind: ChangeKind, index: int, status: OrderStatus, at: datetime) -> Change:
        order = replace(self._open[index], status=status)
        if status in (OrderStatus.DELIVERED, OrderStatus.CANCELLED):
            del self._open[index]
            self._closed.append(order)
        else:
            self._open[index] = order
        return Change(kind, (Update(ORDERS, order.id, {"status": status, "updated_at": at}),))

    def _delete_order(self, at: datetime) -> Change | None:
        if not self._closed:
            return None
        order = self._closed.pop(self._rng.randrange(len(self._closed)))
        deletes = (Delete(ORDER_ITEMS, "order_id", order.id), Delete(ORDERS, "id", order.id))
        return Change(ChangeKind.DELETE_ORDER, deletes)

    def _reprice(self, at: datetime) -> Change:
        id_ = self._rng.choice(self._article_ids)
        price = self._random_price()
        self._articles[id_] = replace(self._articles[id_], price=price)
        return Change(ChangeKind.REPRICE, (Update(PRODUCTS, id_, {"price": price, "updated_at": at}),))

    def _restock(self, at: datetime) -> Change:
        values = {"stock_quantity": self._rng.randint(0, 500), "updated_at": at}
        return Change(ChangeKind.RESTOCK, (Update(PRODUCTS, self._rng.choice(self._article_ids), values),))

    def _describe(self, at: datetime) -> Change:
        values = {"description": self._long_text(), "updated_at": at}
        return Change(ChangeKind.DESCRIBE, (Update(PRODUCTS, self._rng.choice(self._article_ids), values),))

    def _edit_user(self, at: datetime) -> Change:
        user = self._rng.choice(self._users)
        name = person(f"{user} {self._rng.random()}").last_name
        return Change(ChangeKind.EDIT_USER, (Update(USERS, user, {"last_name": name, "updated_at": at}),))

    def _delete_user(self, at: datetime) -> Change | None:
        """Only customers who never came can go: orders keep their customer."""
        idle = [index for index, user in enumerate(self._users) if user not in self._seen]
        if len(idle) < 2 or len(self._users) < 3:
            return None
        user = self._users.pop(self._rng.choice(idle))
        return Change(ChangeKind.DELETE_USER, (Delete(USERS, "id", user),))

    def _insert(self, kind: ChangeKind, table: Dataset, rows: Sequence[Row]) -> Change:
        return Change(kind, (Insert(table, rows),))

    def _new_user(self, at: datetime) -> Row:
        id_ = self._ids.next(USERS)
        self._users.append(id_)
        who = person(f"{self._name}-{id_}")
        return {
            "id": id_,
            "email": who.email,
            "first_name": who.first_name,
            "last_name": who.last_name if self._rng.random() < 0.95 else None,
            **_stamps(at),
        }

    def _new_product(self, at: datetime) -> Row:
        id_ = self._ids.next(PRODUCTS)
        category = self._rng.choice(tuple(THINGS))
        name = f"{self._rng.choice(COLOURS)} {self._rng.choice(THINGS[category])}"
        price = self._random_price()
        self._article_ids.append(id_)
        self._articles[id_] = Bought(id_, category, name, 1, price)
        return {
            "id": id_,
            "sku": f"{self._name}-{id_}",
            "name": name,
            "description": self._long_text() if self._rng.random() < SHARE_OF_LONG_TEXTS else f"A {name}.",
            "price": price,
            "cost": (price * self._rng.randint(30, 80) / 100).quantize(Decimal("0.01")),
            "stock_quantity": self._rng.randint(0, 500),
            "category": category,
            **_stamps(at),
        }

    def _random_price(self) -> Decimal:
        return Decimal(self._rng.randint(50, 15_000)).scaleb(-2)

    def _long_text(self) -> str:
        return self._rng.randbytes(LONG_TEXT_BYTES).hex()


def _stamps(at: datetime) -> Row:
    return {"created_at": at, "updated_at": at}


def _portions(whole: int) -> Iterator[int]:
    for start in range(0, whole, ROWS_PER_TRANSACTION):
        yield min(ROWS_PER_TRANSACTION, whole - start)
