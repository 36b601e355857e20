"""What staging and marts must hold after a history, computed in plain Python over its rows, day by day.

Independent of the models' SQL in every step; thresholds and the words' meaning come from ``concord.rules``.
Each function returns rows in the order of the dataset's columns, the stamp left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import combinations
from typing import Any

from concord.contracts.histories import PRODUCT_HISTORY, USER_HISTORY
from concord.contracts.tables import OrderStatus
from concord.rules import customers as rules
from concord.rules.bands import CUSTOMER_TIERS, ORDER_SIZES, PRICE_TIERS, customer_tier
from concord.rules.orders import is_completed, is_revenue
from concord.rules.ratios import ratio, ratio_or_zero
from tests.history_oracle import history_rows
from tests.shop_history import ShopHistory

Row = dict[str, Any]
Values = tuple[Any, ...]
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Sale:
    """One line of an order that is not cancelled."""

    order: Row
    line: Row

    @property
    def day(self) -> date:
        return day(self.order["created_at"])

    @property
    def total(self) -> Decimal:
        return Decimal(self.line["quantity"] * self.line["unit_price"])


@dataclass
class Oracle:
    """The rows of one history at one moment."""

    history: ShopHistory
    as_of: datetime

    def __post_init__(self) -> None:
        tables = self.history.rows
        self.users = tables["users"]
        self.products = tables["products"]
        self.orders = sorted(tables["orders"].values(), key=lambda order: (order["created_at"], order["id"]))
        self.lines = list(tables["order_items"].values())
        self.purchases = [order for order in self.orders if is_revenue(OrderStatus(order["status"]))]

    def expected(self) -> dict[str, list[Values]]:
        """Every dataset's rows, sorted by their keys."""
        return {
            "users_enhanced": list(self.users_enhanced()),
            "products_enhanced": list(self.products_enhanced()),
            "orders_enhanced": list(self.orders_enhanced()),
            "order_items_enhanced": list(self.order_items_enhanced()),
            "daily_business_metrics": [self.daily(each) for each in self.days],
            "customer_tier_analytics": [row for each in self.days for row in self.tiers_on(each)],
            "product_performance": [row for each in self.days for row in self.products_on(each)],
            "customer_analytics": [self.customer(user) for _, user in sorted(self.users.items())],
            "monthly_kpis": [self.month(each) for each in self.months],
            "monthly_cohorts": list(self.cohorts()),
            "product_recommendations": [row for key in sorted(self.products) for row in self.recommended(key)],
            "user_history": list(history_rows(USER_HISTORY, self.history.logs["users"])),
            "product_history": list(history_rows(PRODUCT_HISTORY, self.history.logs["products"])),
        }

    # --- shared ---

    @cached_property
    def days(self) -> list[date]:
        return sorted({day(order["created_at"]) for order in self.orders})

    @cached_property
    def months(self) -> list[date]:
        return sorted({each.replace(day=1) for each in self.days})

    @cached_property
    def lines_of(self) -> dict[int, list[Row]]:
        lines = defaultdict(list)
        for line in self.lines:
            lines[line["order_id"]].append(line)
        return lines

    @cached_property
    def sales(self) -> list[Sale]:
        return [Sale(order, line) for order in self.purchases for line in self.lines_of[order["id"]]]

    @cached_property
    def purchases_of(self) -> dict[int, list[Row]]:
        orders = defaultdict(list)
        for order in self.purchases:
            if order["user_id"] is not None:
                orders[order["user_id"]].append(order)
        return orders

    def spend(self, user_id: int, until: date = date.max) -> Decimal:
        orders = self.purchases_of.get(user_id, [])
        return sum((order["total_amount"] for order in orders if day(order["created_at"]) <= until), ZERO)

    @cached_property
    def tier_of(self) -> dict[int, str]:
        ranked = sorted(self.users, key=lambda user_id: (-self.spend(user_id), user_id))
        return {
            user_id: customer_tier(rank, len(ranked), self.spend(user_id)) for rank, user_id in enumerate(ranked, 1)
        }

    # --- staging ---

    def users_enhanced(self) -> Iterator[Values]:
        for key, user in sorted(self.users.items()):
            names = [user["first_name"] or "", user["last_name"] or ""]
            yield (
                *(user[name] for name in ("id", "email", "first_name", "last_name")),
                " ".join(names).strip() or None,
                user["created_at"],
                user["updated_at"],
                "@" in user["email"],
                all(is_filled(user[name]) for name in ("email", "first_name", "last_name")),
                self.tier_of[key],
                (self.as_of.date() - day(user["created_at"])).days,
            )

    def products_enhanced(self) -> Iterator[Values]:
        demand = {key: len({s.order["id"] for s in self.sales if s.line["product_id"] == key}) for key in self.products}
        ranked = sorted(self.products, key=lambda key: (-demand[key], key))
        popular = {
            key for rank, key in enumerate(ranked, 1) if demand[key] and rank * 100 <= len(ranked) * rules.POPULAR_SHARE
        }
        for key, product in sorted(self.products.items()):
            names = ("id", "name", "description", "price", "stock_quantity", "category", "created_at", "updated_at")
            yield (
                *(product[name] for name in names),
                PRICE_TIERS.of(product["price"]),
                product["stock_quantity"] > 0,
                key in popular,
                all(is_filled(product[name]) for name in ("name", "description", "category")) and product["price"] > 0,
            )

    def orders_enhanced(self) -> Iterator[Values]:
        first_orders: dict[int, int] = {}
        for order in self.orders:
            if order["user_id"] is not None:
                first_orders.setdefault(order["user_id"], order["id"])
        names = ("id", "user_id", "status", "total_amount", "shipping_address", "created_at", "updated_at")
        for order in sorted(self.orders, key=lambda each: each["id"]):
            yield (
                *(order[name] for name in names),
                ORDER_SIZES.of(order["total_amount"]),
                self.days_to_fulfillment(order),
                order["user_id"] is not None and first_orders[order["user_id"]] != order["id"],
                order["total_amount"] >= 0 and bool(self.lines_of[order["id"]]),
                is_filled(order["shipping_address"]),
            )

    def days_to_fulfillment(self, order: Row) -> int | None:
        if order["status"] != OrderStatus.DELIVERED:
            return None
        delivered = [
            change["updated_at"]
            for change in self.history.logs["orders"]
            if change["id"] == order["id"] and change["__op"] != "d" and change["status"] == OrderStatus.DELIVERED
        ]
        return (day(min(delivered)) - day(order["created_at"])).days

    def order_items_enhanced(self) -> Iterator[Values]:
        for line in sorted(self.lines, key=lambda each: each["id"]):
            product = self.products[line["product_id"]]
            quantity, price, cost = line["quantity"], line["unit_price"], product["cost"]
            yield (
                *(line[name] for name in ("id", "order_id", "product_id", "quantity", "unit_price")),
                quantity * price,
                line["created_at"],
                product["name"],
                product["category"],
                quantity * (product["price"] - price),
                None if cost is None else quantity * (price - cost),
            )

    # --- marts ---

    def daily(self, today: date) -> Values:
        orders = [order for order in self.orders if day(order["created_at"]) == today]
        bought = [order for order in orders if is_revenue(OrderStatus(order["status"]))]
        new = {order["user_id"] for order in orders if (self.registered(order) or date.max) == today}
        returning = {order["user_id"] for order in orders if (self.registered(order) or date.max) < today}
        active = {order["user_id"] for order in orders} - {None}
        completed = sum(is_completed(OrderStatus(order["status"])) for order in orders)
        sales = [sale for sale in self.sales if sale.day == today]
        items = sum(sale.line["quantity"] for sale in sales)
        revenue = total(bought)
        return (
            today,
            len(new),
            len(returning),
            len(active),
            len(orders),
            completed,
            len(orders) - len(bought),
            ratio(revenue, len(bought)),
            revenue,
            total(order for order in bought if order["user_id"] in new),
            total(order for order in bought if order["user_id"] in returning),
            items,
            len({sale.line["product_id"] for sale in sales}),
            ratio_or_zero(len(new), len(active)),
            ratio_or_zero(completed, len(orders)),
            ratio_or_zero(items, len(bought)),
        )

    def registered(self, order: Row) -> date | None:
        user = self.users.get(order["user_id"])
        return day(user["created_at"]) if user else None

    def tiers_on(self, today: date) -> Iterator[Values]:
        tiers = self.tiers_by(today)
        for tier in sorted(share.name for share in CUSTOMER_TIERS):
            yield self.tier_on(today, tier, [key for key, its in tiers.items() if its == tier])

    def tiers_by(self, today: date) -> dict[int, str]:
        """The day replayed: who was a customer by then, and the tier that what each had bought gave."""
        known = [key for key, user in self.users.items() if self.known_since(key, user) <= today]
        ranked = sorted(known, key=lambda key: (-self.spend(key, today), key))
        buyers = [key for key in ranked if self.so_far(key, today)]
        ranks = {key: rank for rank, key in enumerate(buyers, 1)}
        return {
            key: customer_tier(ranks[key], len(known), self.spend(key, today)) if key in ranks else "bronze"
            for key in known
        }

    def tier_on(self, today: date, tier: str, members: Sequence[int]) -> Values:
        orders = {key: self.so_far(key, today) for key in members}
        of_today = [each for key in members for each in orders[key] if day(each["created_at"]) == today]
        active = len({order["user_id"] for order in of_today})
        buyers = [key for key in members if orders[key]]
        gaps = sum(len(orders[key]) - 1 for key in buyers)
        days = sum((day(orders[key][-1]["created_at"]) - day(orders[key][0]["created_at"])).days for key in buyers)
        return (
            today,
            tier,
            len(members),
            sum(day(self.users[key]["created_at"]) == today for key in members),
            active,
            len(of_today),
            ratio(len(of_today), active),
            ratio(total(of_today), len(of_today)),
            total(of_today),
            ratio(sum(len(orders[key]) > 1 for key in buyers), len(buyers)),
            ratio(days, gaps),
            ratio(sum((self.spend(key, today) for key in members), ZERO), len(members)),
        )

    def known_since(self, key: int, user: Row) -> date:
        orders = [day(order["created_at"]) for order in self.purchases_of.get(key, [])]
        return min([day(user["created_at"]), *orders])

    def so_far(self, user_id: int, today: date) -> list[Row]:
        return [order for order in self.purchases_of.get(user_id, []) if day(order["created_at"]) <= today]

    def products_on(self, today: date) -> Iterator[Values]:
        keys = sorted({sale.line["product_id"] for sale in self.sales if sale.day == today})
        figures = {key: self.figures(key, today) for key in keys}
        for key in keys:
            product = self.products[key]
            peers = [figures[other] for other in keys if self.products[other]["category"] == product["category"]]
            units, revenue = figures[key]
            rank = 1 + sum(other > revenue for _, other in peers)
            recent = sum(s.line["quantity"] for s in self.sold(key) if 0 <= (today - s.day).days < rules.DEMAND_DAYS)
            buyers = {s.order["user_id"] for s in self.sold(key) if s.day == today} - {None}
            earlier = {s.order["user_id"] for s in self.sold(key) if s.day < today}
            stock = self.stock(key, today)
            yield (
                today,
                key,
                product["name"],
                product["category"],
                units,
                revenue,
                ratio(revenue, units) if units > 0 else None,
                len(buyers),
                len(buyers & earlier),
                rank,
                1 + sum(other > units for other, _ in peers),
                rules.is_top_performer(rank, len(peers)),
                stock,
                rules.days_of_inventory(stock, recent),
            )

    @cached_property
    def sales_of(self) -> dict[int, list[Sale]]:
        sales = defaultdict(list)
        for sale in self.sales:
            sales[sale.line["product_id"]].append(sale)
        return sales

    def sold(self, product_id: int) -> list[Sale]:
        return self.sales_of[product_id]

    def figures(self, product_id: int, today: date) -> tuple[int, Decimal]:
        sales = [sale for sale in self.sold(product_id) if sale.day == today]
        return sum(sale.line["quantity"] for sale in sales), sum((sale.total for sale in sales), ZERO)

    def stock(self, product_id: int, today: date) -> int | None:
        versions = [
            change["stock_quantity"]
            for change in self.history.logs["products"]
            if change["id"] == product_id and change["__op"] != "d" and day(change["updated_at"]) <= today
        ]
        return versions[-1] if versions else None

    def customer(self, user: Row) -> Values:
        orders = self.purchases_of.get(user["id"], [])
        lines = [line for order in orders for line in self.lines_of[order["id"]]]
        days = [day(order["created_at"]) for order in orders]
        spent = total(orders)
        first, last = (days[0], days[-1]) if days else (None, None)
        since_last = (self.as_of.date() - last).days if last else None
        since_first = (self.as_of.date() - first).days if first else None
        at_risk = rules.is_at_risk(since_last)
        names = " ".join([user["first_name"] or "", user["last_name"] or ""])
        return (
            user["id"],
            user["email"],
            names.strip() or None,
            day(user["created_at"]),
            (self.as_of.date() - day(user["created_at"])).days,
            first,
            last,
            len(orders),
            spent,
            ratio(spent, len(orders)),
            ratio((last - first).days, len(orders) - 1) if first and last else None,
            self.favorite(lines),
            sum(line["quantity"] for line in lines),
            self.tier_of[user["id"]],
            rules.is_active(since_last),
            at_risk,
            rules.predicted_ltv(spent, since_first, at_risk),
        )

    def favorite(self, lines: Iterable[Row]) -> str | None:
        units: dict[str, int] = defaultdict(int)
        for line in lines:
            units[self.products[line["product_id"]]["category"]] += line["quantity"]
        return min(units, key=lambda category: (-units[category], category)) if units else None

    def month(self, first: date) -> Values:
        orders = [order for order in self.orders if month(order["created_at"]) == first]
        bought = [order for order in orders if is_revenue(OrderStatus(order["status"]))]
        before = before_month(first)
        revenue, revenue_before = total(bought), total(o for o in self.purchases if month(o["created_at"]) == before)
        active, active_before = self.buyers_in(first), self.buyers_in(before)
        acquired = {key for key in active if month(self.purchases_of[key][0]["created_at"]) == first}
        return (
            first,
            len(orders),
            sum(is_completed(OrderStatus(order["status"])) for order in orders),
            len(orders) - len(bought),
            revenue,
            ratio(revenue, len(bought)),
            ratio(revenue - revenue_before, revenue_before) if before in self.months and revenue_before > 0 else None,
            sum(month(user["created_at"]) == first for user in self.users.values()),
            len(active),
            len(acquired),
            len(active - acquired),
            len(active & active_before),
            len((active_before if before in self.months else set()) - active),
            ratio(len(acquired), len(active)),
            ratio(len(active & active_before), len(active_before)),
        )

    def buyers_in(self, first: date) -> set[int]:
        return {
            key for key, orders in self.purchases_of.items() if any(month(o["created_at"]) == first for o in orders)
        }

    def cohorts(self) -> Iterator[Values]:
        cohort_of = {key: month(orders[0]["created_at"]) for key, orders in self.purchases_of.items()}
        for cohort in sorted(set(cohort_of.values())):
            members = {key for key, its in cohort_of.items() if its == cohort}
            for each in sorted({month(o["created_at"]) for key in members for o in self.purchases_of[key]}):
                active = members & self.buyers_in(each)
                revenue = total(o for key in active for o in self.purchases_of[key] if month(o["created_at"]) == each)
                since = (each.year - cohort.year) * 12 + each.month - cohort.month
                share = ratio(len(active), len(members))
                yield cohort, each, since, len(members), len(active), share, revenue

    @cached_property
    def baskets(self) -> list[set[int]]:
        baskets = [{line["product_id"] for line in self.lines_of[order["id"]]} for order in self.purchases]
        return [basket for basket in baskets if 0 < len(basket) <= rules.MAX_BASKET]

    @cached_property
    def pairs(self) -> dict[frozenset[int], int]:
        counts: dict[frozenset[int], int] = defaultdict(int)
        for basket in self.baskets:
            for pair in combinations(sorted(basket), 2):
                counts[frozenset(pair)] += 1
        return counts

    def in_baskets(self, product_id: int) -> int:
        return sum(product_id in basket for basket in self.baskets)

    def recommended(self, product_id: int) -> Iterator[Values]:
        count = len(self.baskets)
        together = {
            other: self.pairs[frozenset((product_id, other))]
            for other in self.products
            if self.pairs[frozenset((product_id, other))] >= rules.MIN_ORDERS_TOGETHER
        }
        lifts = {o: ratio(n * count, self.in_baskets(product_id) * self.in_baskets(o)) for o, n in together.items()}
        beyond_chance = [o for o, n in together.items() if n * count > self.in_baskets(product_id) * self.in_baskets(o)]
        chosen = sorted(beyond_chance, key=lambda other: (-together[other], other))[: rules.RECOMMENDATIONS]
        popular = sorted(filter(self.in_baskets, self.products), key=lambda key: (-self.in_baskets(key), key))
        others = [key for key in popular if key != product_id and key not in chosen]
        for rank, other in enumerate([*chosen, *others][: rules.RECOMMENDATIONS], 1):
            if other in chosen:
                support, confidence = ratio(together[other], count), ratio(together[other], self.in_baskets(product_id))
                yield product_id, rank, other, "bought together", together[other], support, confidence, lifts[other]
            else:
                yield product_id, rank, other, "popularity", None, None, None, None


def day(instant: datetime) -> date:
    return instant.date()


def month(instant: datetime) -> date:
    return instant.date().replace(day=1)


def before_month(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def total(orders: Iterable[Row]) -> Decimal:
    return sum((order["total_amount"] for order in orders), ZERO)


def is_filled(text: str | None) -> bool:
    return bool((text or "").strip())
