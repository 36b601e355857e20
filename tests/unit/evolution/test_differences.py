"""Between what a store has and what its contract says lie additions and widenings, or a refusal; nothing is rewritten."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.model import Column, Dataset
from concord.contracts.tables import ORDERS, PRODUCTS
from concord.contracts.types import BIGINT, INTEGER, TEXT, Decimal, LogicalType
from concord.errors import Misconfigured
from concord.evolution.differences import Addition, Engine, Held, Widening, steps
from concord.evolution.engines import CLICKHOUSE, ICEBERG, SNOWFLAKE

ENGINES = pytest.mark.parametrize("engine", [CLICKHOUSE, ICEBERG, SNOWFLAKE], ids=lambda engine: engine.name)
TYPES = st.one_of(
    st.sampled_from((INTEGER, BIGINT, TEXT)),
    st.tuples(st.integers(1, 38), st.integers(0, 10)).filter(lambda p: p[1] <= p[0]).map(lambda p: Decimal(*p)),
)


def held(engine: Engine, columns: tuple[Column, ...]) -> list[Held]:
    return [Held(column.name, engine.spell(column), column.nullable) for column in columns]


@ENGINES
def test_a_table_that_is_as_declared_needs_nothing(engine: Engine) -> None:
    assert steps(engine, "orders", held(engine, ORDERS.columns), ORDERS) == []


@ENGINES
def test_new_columns_are_added_behind_the_one_they_stand_behind(engine: Engine) -> None:
    new = (Column("channel", TEXT, nullable=True), Column("campaign", TEXT, nullable=True))
    extended = ORDERS.extended(ORDERS.name, *new)
    found = steps(engine, "orders", held(engine, ORDERS.columns), extended)
    assert [(step.column, step.after) for step in found if isinstance(step, Addition)] == [
        (new[0], ORDERS.names[-1]),
        (new[1], "channel"),
    ]


@ENGINES
def test_what_would_rewrite_or_forget_rows_is_refused_by_name(engine: Engine) -> None:
    there = held(engine, ORDERS.columns)
    with pytest.raises(Misconfigured, match=r"table orders: column channel was text, is absent by its contract"):
        steps(engine, "orders", [*there, Held("channel", "text")], ORDERS)
    with pytest.raises(Misconfigured, match=r"column channel was absent, is .*, not null by its contract"):
        steps(engine, "orders", there, ORDERS.extended(ORDERS.name, Column("channel", TEXT)))
    retyped = tuple(replace(column, type=BIGINT) if column.name == "status" else column for column in ORDERS.columns)
    with pytest.raises(Misconfigured, match=r"column status was .*rows would have to be rewritten"):
        steps(engine, "orders", there, replace(ORDERS, columns=retyped))


@pytest.mark.parametrize("engine", [CLICKHOUSE, ICEBERG], ids=lambda engine: engine.name)
def test_an_integer_of_32_bits_widens(engine: Engine) -> None:
    wider = tuple(replace(c, type=BIGINT) if c.name == "stock_quantity" else c for c in PRODUCTS.columns)
    (step,) = steps(engine, "products", held(engine, PRODUCTS.columns), replace(PRODUCTS, columns=wider))
    assert isinstance(step, Widening)
    assert step.column.name == "stock_quantity"


@given(st.sampled_from((CLICKHOUSE, ICEBERG, SNOWFLAKE)), TYPES, TYPES, st.booleans())
def test_a_store_takes_a_type_only_if_it_has_every_value_of_the_old_one(
    engine: Engine, was: LogicalType, now: LogicalType, becomes_nullable: bool
) -> None:
    old, new = Column("c", was), Column("c", now, nullable=becomes_nullable)
    table = Dataset("t", (new,), key=("c",))
    if not has_every_value(in_store(engine, was), in_store(engine, now)):
        with pytest.raises(Misconfigured, match="column c was"):
            steps(engine, "t", held(engine, (old,)), table)
        return
    found = steps(engine, "t", held(engine, (old,)), table)
    assert bool(found) == (becomes_nullable or engine.spell(old) != engine.spell(new))


def in_store(engine: Engine, declared: LogicalType) -> LogicalType:
    """Snowflake has one type for all integers."""
    return Decimal(38, 0) if engine is SNOWFLAKE and declared in (INTEGER, BIGINT) else declared


def has_every_value(was: LogicalType, now: LogicalType) -> bool:
    """Of decimals those with as many digits behind the point: the others would be written anew."""
    if isinstance(was, Decimal) and isinstance(now, Decimal):
        return now.scale == was.scale and now.precision >= was.precision
    return was == now or (was, now) == (INTEGER, BIGINT)
