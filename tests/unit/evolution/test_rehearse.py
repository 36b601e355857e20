"""What would happen at every hop, said beforehand."""

from dataclasses import replace

import pytest

from concord.contracts.model import Column, Dataset
from concord.contracts.tables import ORDERS, PRODUCTS
from concord.contracts.types import BIGINT, TEXT
from concord.evolution.rehearse import Effect, Hop, Verdict, rehearse
from concord.evolution.statement import Alteration, alteration

LAYERS = (Hop.MIRROR, Hop.RAW, Hop.STAGING, Hop.CLICKHOUSE)


def effect(sql: str, table: Dataset | None = None) -> Effect:
    planned = alteration(sql)
    (found,) = rehearse(Alteration(table or planned.table, planned.actions))
    assert [*found.hops] == [*Hop]
    return found


def verdicts(found: Effect, *hops: Hop) -> set[Verdict]:
    return {found.hops[hop].verdict for hop in hops}


def with_column(table: Dataset, name: str, **attributes: object) -> Dataset:
    columns = (replace(c, **attributes) if c.name == name else c for c in table.columns)  # type: ignore[arg-type]
    return replace(table, columns=tuple(columns))


@pytest.mark.parametrize(
    "sql",
    [
        "alter table orders add channel text",
        "alter table orders alter status set default 'x'",
        "alter table orders alter status set not null",
        "alter table orders alter shipping_address type varchar(500)",
        "alter table orders alter user_id drop not null",
        "alter table products alter stock_quantity type smallint",
        "alter table orders add constraint positive check (total_amount > 0)",
    ],
)
def test_what_every_hop_carries_is_clean(sql: str) -> None:
    assert effect(sql).is_clean


def test_a_new_column_is_passed_over_until_it_is_declared_and_the_line_to_declare_it_is_given() -> None:
    found = effect("alter table orders add fee numeric(6, 2)")
    assert found.is_clean
    assert found.hops[Hop.RAW].what.startswith("passed over until it is declared")
    assert 'Column("fee", Decimal(6, 2), nullable=True, may_be_absent=True)' in found.advice[0]


def test_a_column_that_must_have_a_value_is_refused_by_postgresql() -> None:
    assert verdicts(effect("alter table orders add channel text not null"), Hop.SOURCE) == {Verdict.REFUSED}
    assert verdicts(effect("alter table orders add status text"), Hop.SOURCE) == {Verdict.REFUSED}


def test_a_default_of_a_declared_column_is_not_sent_for_the_rows_that_are_there() -> None:
    channel = Column("channel", TEXT, nullable=True, may_be_absent=True)
    table = ORDERS.extended(ORDERS.name, channel)
    assert effect("alter table orders add channel text", table).is_clean
    found = effect("alter table orders add channel text default 'web'", table)
    assert verdicts(found, *LAYERS) == {Verdict.FLOWS}
    assert found.hops[Hop.FENCE].verdict is Verdict.DIFFERS
    assert found.advice == ("send the rows again: update orders set channel = channel",)


@pytest.mark.parametrize("sql", ["drop shipping_address", "rename shipping_address to ship_to"])
def test_a_column_that_goes_unannounced_sets_every_change_aside_in_both_layers(sql: str) -> None:
    found = effect(f"alter table orders {sql}")
    assert verdicts(found, *LAYERS) == {Verdict.SET_ASIDE}
    assert verdicts(found, Hop.SOURCE, Hop.DEBEZIUM, Hop.KAFKA, Hop.LOG) == {Verdict.FLOWS}
    assert "/shipping_address is missing" in found.hops[Hop.CLICKHOUSE].what
    assert found.advice[0].startswith("first declare shipping_address may_be_absent=True")


@pytest.mark.parametrize("sql", ["drop shipping_address", "rename shipping_address to ship_to"])
def test_a_column_that_was_announced_goes_and_nothing_is_set_aside(sql: str) -> None:
    table = with_column(ORDERS, "shipping_address", may_be_absent=True)
    assert effect(f"alter table orders {sql}", table).is_clean


def test_a_column_that_is_never_null_is_to_be_declared_nullable_before_it_goes() -> None:
    assert "nullable=True, may_be_absent=True" in effect("alter table orders drop status").advice[0]


def test_what_is_renamed_is_read_under_both_names() -> None:
    advice = effect("alter table orders rename shipping_address to ship_to").advice
    assert any('Column("ship_to", TEXT, nullable=True, may_be_absent=True)' in line for line in advice)
    assert "models read coalesce(ship_to, shipping_address): old rows keep the old name" in advice


def test_without_its_key_or_its_name_a_table_is_captured_no_longer() -> None:
    assert verdicts(effect("alter table orders drop id"), Hop.SOURCE) == {Verdict.REFUSED}
    assert verdicts(effect("alter table orders drop constraint orders_pkey"), Hop.SOURCE) == {Verdict.REFUSED}
    assert verdicts(effect("alter table orders rename to bills"), Hop.DEBEZIUM, Hop.FENCE) == {Verdict.REFUSED}
    assert verdicts(effect("alter table orders rename id to number"), *LAYERS) == {Verdict.SET_ASIDE}


def test_a_wider_type_sets_aside_what_does_not_fit_until_the_contract_is_wider() -> None:
    found = effect("alter table products alter stock_quantity type bigint")
    assert verdicts(found, *LAYERS) == {Verdict.SET_ASIDE}
    assert found.hops[Hop.RAW].what.startswith("values beyond 32 bits")
    assert found.advice[0].startswith("first declare stock_quantity BIGINT")
    assert effect(
        "alter table products alter stock_quantity type bigint", with_column(PRODUCTS, "stock_quantity", type=BIGINT)
    ).is_clean


def test_a_type_that_a_store_cannot_take_without_its_rows_is_a_column_beside() -> None:
    found = effect("alter table orders alter total_amount type numeric(12, 4)")
    assert found.advice == (
        "rows would have to be rewritten in lake mirror (decimal(10, 2) to decimal(12, 4)), RAW (NUMBER(10,2) to "
        "NUMBER(12,4)), STAGING, MARTS (NUMBER(10,2) to NUMBER(12,4)), ClickHouse (Decimal(10, 2) to Decimal(12, 4)): add a column of the new type beside total_amount",
    )
    assert effect("alter table orders alter total_amount type numeric(12, 2)").advice[0].startswith("first declare")


def test_a_column_that_no_published_table_has_is_not_said_to_be_carried_there() -> None:
    wider = "alter table {} alter {} type numeric(9, 2)"
    assert effect(wider.format("orders", "total_amount")).hops[Hop.STAGING].what.startswith("carried as declared")
    assert effect(wider.format("products", "cost")).hops[Hop.STAGING].what.startswith("no published table has cost")
    cannot = effect("alter table products alter cost type numeric(12, 4)").advice[0]
    assert "RAW (" in cannot
    assert "STAGING" not in cannot


def test_a_type_that_no_value_fits_sets_every_value_aside() -> None:
    found = effect("alter table orders alter created_at type date")
    assert found.hops[Hop.RAW].what.startswith("every change with a value (date is not sent as a time with a zone)")


def test_values_that_postgresql_alters_without_telling_make_the_layers_differ() -> None:
    computed = effect("alter table orders alter total_amount type numeric(10, 2) using total_amount * 2")
    rounded = effect("alter table orders alter total_amount type numeric(9, 1)")
    for found in (computed, rounded):
        assert verdicts(found, *LAYERS) == {Verdict.FLOWS}
        assert found.hops[Hop.FENCE].verdict is Verdict.DIFFERS


def test_a_null_where_none_is_declared_is_set_aside() -> None:
    found = effect("alter table orders alter status drop not null")
    assert "/status is null" in found.hops[Hop.RAW].what
    assert verdicts(effect("alter table orders alter id drop not null"), Hop.SOURCE) == {Verdict.REFUSED}
