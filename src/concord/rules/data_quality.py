"""The rules that the shop's data is held to: derived from the contracts where they say it, else what the business means.

What Concord answers for is critical: keys, changes there once, what the contract closes. What a source
may send is flagged and kept.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from concord.contracts.derived import STAGING
from concord.contracts.expectations import (
    Above,
    AtLeast,
    Checked,
    Expectation,
    Filled,
    Fresh,
    Matches,
    MatchesNot,
    Measure,
    NoneOf,
    NotBefore,
    OneOf,
    Refers,
    Rule,
    Severity,
    Statistic,
    SumsUp,
    Through,
    Unique,
)
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import ORDER_ITEMS, ORDERS, POSITION_KEY, PRODUCTS, TABLES, USERS, OrderStatus, as_change
from concord.contracts.types import Category

EMAIL = "^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*[.][A-Za-z]{2,}$"
"""One @, a domain with a dot, no blanks."""
ADJUSTMENT = "^A[0-9]+$"
"""Numbers of bookings that correct the books and sell nothing."""
NO_ARTICLES = ("service",)
"""Categories of stock codes that are no article: postage, discounts, fees, manual bookings."""

NOTHING = Decimal(0)
FRESH_WITHIN = timedelta(hours=24)


def _critical(table: Dataset, column: str, word: str, expectation: Expectation, description: str) -> Rule:
    return Rule(f"{table.name}.{column}.{word}", table.name, column, expectation, Severity.CRITICAL, description)


def _flag(
    table: Dataset,
    column: str,
    word: str,
    expectation: Expectation,
    description: str,
    through: Through | None = None,
    shows: str | None = None,
) -> Rule:
    name = f"{table.name}.{column}.{word}"
    return Rule(name, table.name, column, expectation, Severity.FLAG, description, through, shows)


def _of_contract(table: Dataset) -> Iterator[Rule]:
    """What the table's declaration says of itself."""
    (key,) = table.key
    yield _critical(table, key, "unique", Unique((key,)), "A key names one row.")
    for column in (*table.columns, *_derived(table)):
        yield from _of_column(table, column)


def _derived(table: Dataset) -> Iterator[Column]:
    """Columns that only staging has."""
    return (column for column in STAGING[f"{table.name}_enhanced"].columns if column.name not in table.names)


def _of_column(table: Dataset, column: Column) -> Iterator[Rule]:
    if not column.nullable:
        yield _critical(table, column.name, "there", Filled(), "The contract has no row without it.")
    if isinstance(column.type, Category) and column.type.values:
        yield _critical(table, column.name, "known", OneOf(column.type.values), "One of the contract's values.")
    if column.references:
        parent = column.references.split(".")[0]
        yield _flag(table, column.name, "refers", Refers(parent), f"There is such a row of {parent}.")


def _of_log(table: Dataset) -> Rule:
    log = as_change(table)
    return _critical(log, "_offset", "once", Unique(POSITION_KEY), "Every change is there once.")


_ORDER = Through("order_id", ORDERS.name)
_PRODUCT = Through("product_id", PRODUCTS.name)
_LINES = SumsUp(ORDER_ITEMS.name, "order_id", ("quantity", "unit_price"))

BUSINESS = (
    _flag(USERS, "email", "valid", Matches(EMAIL), "Looks like an address that can be written to."),
    _flag(USERS, "email", "unique", Unique(("email",)), "One account per address."),
    _flag(USERS, "first_name", "filled", Filled(), "A complete profile has it."),
    _flag(USERS, "last_name", "filled", Filled(), "A complete profile has it."),
    _flag(USERS, "updated_at", "in_order", NotBefore("created_at"), "Changed after it came to be."),
    _flag(PRODUCTS, "sku", "unique", Unique(("sku",)), "A stock code names one article."),
    _flag(PRODUCTS, "price", "above_zero", Above(NOTHING), "An article costs something."),
    _flag(PRODUCTS, "stock_quantity", "not_negative", AtLeast(NOTHING), "No more was sold than was there."),
    _flag(PRODUCTS, "category", "article", NoneOf(NO_ARTICLES), "The stock code names an article.", shows="sku"),
    _flag(PRODUCTS, "description", "filled", Filled(), "A complete catalogue entry has it."),
    _flag(PRODUCTS, "updated_at", "in_order", NotBefore("created_at"), "Changed after it came to be."),
    _flag(ORDERS, "external_id", "unique", Unique(("external_id",)), "An invoice number names one order."),
    _flag(ORDERS, "external_id", "no_adjustment", MatchesNot(ADJUSTMENT), "An order, no correction of the books."),
    _flag(ORDERS, "user_id", "filled", Filled(), "The order has a customer."),
    _flag(ORDERS, "shipping_address", "filled", Filled(), "It is known where to send it."),
    _flag(ORDERS, "total_amount", "not_negative", AtLeast(NOTHING), "An order owes nothing to its customer."),
    _flag(ORDERS, "total_amount", "sum_of_lines", _LINES, "The total is the sum of quantity × unit price."),
    _flag(ORDERS, "updated_at", "in_order", NotBefore("created_at"), "Changed after it came to be."),
    _flag(ORDER_ITEMS, "quantity", "above_zero", Above(NOTHING), "A line sells at least one piece."),
    _flag(ORDER_ITEMS, "unit_price", "above_zero", Above(NOTHING), "A line is not given away."),
    _flag(ORDER_ITEMS, "unit_price", "not_negative", AtLeast(NOTHING), "A line pays nothing out."),
    _flag(ORDER_ITEMS, "user_id", "filled", Filled(), "The line's order has a customer.", _ORDER),
    _flag(ORDER_ITEMS, "external_id", "no_adjustment", MatchesNot(ADJUSTMENT), "The line's order is one.", _ORDER),
    _flag(ORDER_ITEMS, "category", "article", NoneOf(NO_ARTICLES), "The line sells an article.", _PRODUCT, "sku"),
)

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        *(rule for table in TABLES.values() for rule in _of_contract(table)),
        *(_of_log(table) for table in TABLES.values()),
        *BUSINESS,
    )
}

FRESHNESS: Mapping[str, Fresh] = {
    f"{table.name}.fresh": Fresh(
        f"{table.name}.fresh", table.name, FRESH_WITHIN, "Something was seen of it in the day before publication."
    )
    for table in TABLES.values()
}


def _daily(table: Dataset, word: str, statistic: Statistic, description: str, **of: str) -> Measure:
    return Measure(f"{table.name}.daily.{word}", table.name, statistic, description, **of)


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        _daily(USERS, "rows", Statistic.ROWS, "New customers."),
        _daily(ORDERS, "rows", Statistic.ROWS, "Orders."),
        _daily(ORDERS, "revenue", Statistic.SUM, "Total of all orders, cancelled ones too.", column="total_amount"),
        _daily(ORDERS, "guests", Statistic.SHARE_NULL, "Orders without a customer.", column="user_id"),
        _daily(
            ORDERS,
            "cancelled",
            Statistic.SHARE_EQUAL,
            "Cancelled orders.",
            column="status",
            value=OrderStatus.CANCELLED.value,
        ),
        _daily(ORDER_ITEMS, "rows", Statistic.ROWS, "Order lines."),
        _daily(ORDER_ITEMS, "unit_price", Statistic.MEAN, "Price per piece over the lines.", column="unit_price"),
    )
}

CHECKS: Mapping[str, Checked] = {**RULES, **FRESHNESS, **MEASURES}
