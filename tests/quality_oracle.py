"""The rules in Python, row by row, and a shop with faults of every kind: what the engines are held to."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from concord.contracts.expectations import (
    Above,
    AtLeast,
    Filled,
    Layer,
    Matches,
    MatchesNot,
    NoneOf,
    NotBefore,
    OneOf,
    Refers,
    Rule,
    SumsUp,
    Unique,
)
from concord.contracts.tables import TABLES, as_change
from concord.quality import layers
from tests.factories import EPOCH, change_row, row

Row = dict[str, Any]
Shop = Mapping[str, Sequence[Row]]

FAULTS: Mapping[str, Sequence[Any]] = {
    "email": ("a@b.example", "a@b.example", "a b@c.example", "", None, "x@y", "one@b.example\n"),
    "first_name": ("Ada", " ", None, "Ωmega"),
    "sku": ("85123A", "85123a", None, "POST"),
    "category": ("gifts", "service", None),
    "price": (Decimal("0.00"), Decimal("-1.00"), Decimal("3.25"), None),
    "stock_quantity": (0, -1, 5, None),
    "external_id": ("536365", "A563185", "A563185", "C1", None, "A12x"),
    "status": ("pending", "cancelled", "lost", "", None),
    "user_id": (1, 2, 99, None),
    "total_amount": (Decimal("6.50"), Decimal("0.00"), Decimal("-3.00"), None),
    "order_id": (1, 2, 3, 77, None),
    "product_id": (1, 2, 88, None),
    "quantity": (1, 2, 0, -4, None),
    "unit_price": (Decimal("3.25"), Decimal("0.00"), Decimal("-11062.06"), None),
    "created_at": (EPOCH, EPOCH + timedelta(days=1), None),
    "updated_at": (EPOCH, EPOCH + timedelta(hours=30), None),
}


def faulty_shop(seed: int, rows: int = 12) -> Shop:
    """RAW's datasets; positions repeat here and there."""
    chance = random.Random(seed)
    shop: dict[str, list[Row]] = {}
    for table in TABLES.values():
        shop[table.name] = [_faulty(table.name, number, chance) for number in range(1, rows + 1)]
        offsets = [chance.choice((number, 3)) for number in range(rows)]
        shop[as_change(table).name] = [change_row(table, seed=1, offset=offset) for offset in offsets]
    return shop


def _faulty(name: str, number: int, chance: random.Random) -> Row:
    sound = row(TABLES[name], number)
    faults = {column: chance.choice(FAULTS[column]) for column in sound if column in FAULTS}
    return {**sound, **faults, "id": chance.choice((number, number, number, 1))}


def broken(shop: Shop) -> list[tuple[str, str]]:
    """(rule, row_key) of every violation, in order."""
    return sorted(
        (rule.name, _key(rule, each))
        for rule in layers.rules(Layer.RAW)
        for each in shop[rule.dataset]
        for _ in range(_times(rule, each, shop))
    )


def _key(rule: Rule, each: Row) -> str:
    key = layers.HOLDS[Layer.RAW][rule.dataset].key
    return "-".join("null" if each[name] is None else str(each[name]) for name in key)


def _times(rule: Rule, each: Row, shop: Shop) -> int:
    """A row that breaks a rule counts once, but once per parent where the rule is its parents'."""
    if rule.through:
        parents = [parent for parent in shop[rule.through.table] if parent["id"] == each[rule.through.reference]]
        return sum(_breaks(rule, parent, shop) for parent in parents)
    return int(_breaks(rule, each, shop))


def _breaks(rule: Rule, each: Row, shop: Shop) -> bool:
    value = each[rule.column]
    match rule.expectation:
        case Filled():
            return value is None or (isinstance(value, str) and not value.strip(" "))
        case Unique(columns):
            own = [each[name] for name in columns]
            return None not in own and sum([other[n] for n in columns] == own for other in shop[rule.dataset]) > 1
        case _ if value is None:
            return False
        case Refers(table):
            return value not in [other["id"] for other in shop[table]]
        case SumsUp(table, reference, factors):
            lines = [[line[factor] for factor in factors] for line in shop[table] if line[reference] == each["id"]]
            return bool(value != sum((a * b for a, b in lines if None not in (a, b)), Decimal(0)))
        case NotBefore(column):
            return _is_before(value, each[column])
        case expectation:
            return not VALUES[type(expectation)](expectation, value)


def _is_before(value: datetime, other: datetime | None) -> bool:
    return other is not None and value < other


VALUES: Mapping[type, Callable[[Any, Any], bool]] = {
    Matches: lambda expectation, value: re.fullmatch(expectation.pattern, value) is not None,
    MatchesNot: lambda expectation, value: re.fullmatch(expectation.pattern, value) is None,
    OneOf: lambda expectation, value: value in expectation.values,
    NoneOf: lambda expectation, value: value not in expectation.values,
    AtLeast: lambda expectation, value: value >= expectation.bound,
    Above: lambda expectation, value: value > expectation.bound,
}
