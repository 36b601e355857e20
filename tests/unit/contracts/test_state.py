"""Which changes a position holds, in the words that every engine reads."""

from concord.contracts.position import Position
from concord.contracts.state import held_by, state_columns
from concord.contracts.tables import PRODUCTS

ORDERS = "ecommerce.public.orders"


def test_predicate_of_a_position_names_every_partition() -> None:
    assert held_by(Position.of([(ORDERS, 1, 7), (ORDERS, 0, 3)])) == (
        f"((_topic = '{ORDERS}' and _partition = 0 and _offset <= 3)"
        f" or (_topic = '{ORDERS}' and _partition = 1 and _offset <= 7))"
    )


def test_nothing_is_held_by_an_empty_position() -> None:
    assert held_by(Position()) == "false"


def test_state_has_the_tables_columns_and_its_position() -> None:
    assert state_columns(PRODUCTS) == (*PRODUCTS.names, "_topic", "_partition", "_offset", "__source_lsn")
