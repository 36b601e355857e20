"""A statement is read into what it does, or refused in words that name what is wrong."""

import pytest

from concord.evolution.statement import (
    Added,
    Dropped,
    KeyDropped,
    NotRehearsed,
    Nullability,
    Renamed,
    Retyped,
    TableRenamed,
    Unsent,
    alteration,
)


def told(rest: str) -> list[str]:
    return [str(action) for action in alteration(f"alter table orders {rest}").actions]


@pytest.mark.parametrize(
    ("rest", "kinds", "words"),
    [
        ("add column channel text", [Added], ["add channel text"]),
        ("ADD Channel VARCHAR(20)", [Added], ["add channel varchar(20)"]),
        ('add column "Channel" text', [Added], ["add Channel text"]),
        ("add if not exists status text", [Unsent], ["status is there already"]),
        ("drop shipping_address cascade", [Dropped], ["drop shipping_address"]),
        ("rename status to state", [Renamed], ["rename status to state"]),
        ("rename column STATUS to state", [Renamed], ["rename status to state"]),
        ("rename to bills", [TableRenamed], ["rename the table to bills"]),
        ("alter total_amount type numeric(12, 2)", [Retyped], ["total_amount to decimal(12, 2)"]),
        ("alter column status drop not null", [Nullability], ["status may be null"]),
        ("alter column status set not null", [Nullability], ["status must not be null"]),
        ("alter column status set default 'x'", [Unsent], ["a default of status"]),
        ("drop constraint orders_pkey", [KeyDropped], ["drop the primary key"]),
        ("drop constraint orders_user_id_fkey", [Unsent], ["drop a constraint"]),
        ("add constraint positive check (total_amount > 0)", [Unsent], ["add a constraint"]),
        ("replica identity full", [Unsent], ["replica identity full"]),
        ("owner to somebody;", [Unsent], ["owner to"]),
        ("add a int, drop column status", [Added, Dropped], ["add a int", "drop status"]),
    ],
)
def test_what_a_statement_does(rest: str, kinds: list[type], words: list[str]) -> None:
    assert [type(action) for action in alteration(f"alter table orders {rest}").actions] == kinds
    assert told(rest) == words


@pytest.mark.parametrize(
    ("constraints", "is_filled", "needs_value"),
    [
        ("", False, False),
        ("not null", False, True),
        ("not null default 'web'", True, False),
        ("default 'w'", True, False),
    ],
)
def test_a_column_that_must_not_be_null_needs_a_value_for_the_rows_that_are_there(
    constraints: str, is_filled: bool, needs_value: bool
) -> None:
    (added,) = alteration(f"alter table only public.orders add channel text {constraints}").actions
    assert isinstance(added, Added)
    assert (added.is_filled, added.needs_value) == (is_filled, needs_value)


def test_an_expression_computes_the_rows_that_are_there() -> None:
    (retyped,) = alteration("alter table orders alter total_amount type bigint using total_amount * 100").actions
    assert isinstance(retyped, Retyped)
    assert retyped.is_computed


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "one statement is rehearsed at a time, not 0"),
        ("alter table orders drop status; drop table orders", "one statement is rehearsed at a time, not 2"),
        ("drop table orders", "not an ALTER TABLE: 'drop table orders'"),
        ("select 1", "not an ALTER TABLE: 'select 1'"),
        ("alter tabel orders add x int", "not an ALTER TABLE: 'alter tabel orders add x int'"),
        ("alter table", "cannot read 'alter table': Expected table name but got"),
        ("flubber (", "cannot read 'flubber ('"),
        ("alter table orders", "what this does to orders cannot be told: 'nothing'"),
        ("alter table orders add column", "what this does to orders cannot be told: 'add column'"),
        ("alter table orders disable trigger all", "what this does to orders cannot be told: 'disable trigger all'"),
        ("alter table orders replica identity nothing", "cannot be told: 'replica identity nothing'"),
        ("alter table bills add x int", "table 'bills' is not captured"),
        ('alter table "Orders" add x int', "table 'Orders' is not captured"),
        ("alter table bills owner to x", "table 'bills' is not captured"),
        ("alter table other.orders add x int", "table 'other.orders' is not captured"),
        ("alter table orders drop colour", "orders has no column 'colour' by its contract"),
        ("alter table orders rename colour to shade", "orders has no column 'colour' by its contract"),
        ("alter table orders alter colour type int", "orders has no column 'colour' by its contract"),
        ("alter table orders drop status, add status int", "orders.status stands in it 2 times"),
    ],
)
def test_what_cannot_be_told_is_named(sql: str, message: str) -> None:
    with pytest.raises(NotRehearsed) as refused:
        alteration(sql)
    assert message in refused.value.message
