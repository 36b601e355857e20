"""What is read from the SQL that dbt has compiled."""

from typing import Any

import pytest

from concord.errors import Misconfigured
from concord.lineage.computed import FROM_AS_OF, FROM_FILE
from concord.lineage.graph import Field, Graph
from concord.lineage.models import Models

AS_OF = "2000-01-01 00:00:00.000"
BASE = """
select id, user_id, total_amount
from (
    select id, user_id, total_amount, row_number() over (partition by id order by _offset desc) as recency
    from DW.RAW.orders
    where false
) as ranked
where recency = 1
"""
MART = f"""
-- Grain: one row per customer.
with orders as (
    select * from DW.STAGING_SHADOW.base_orders
),

sums as (
    select user_id, count(*)::number(38, 0) as orders, sum(iff(id > 0, total_amount, 0)) as revenue
    from orders
    group by user_id
)

select
    sums.*,
    sizes.size,
    datediff(day, '{AS_OF}'::timestamp_ntz, '{AS_OF}'::timestamp_ntz) as days,
    '{AS_OF}'::timestamp_ntz as created_at
from sums
left join DW.STAGING_SHADOW.sizes as sizes on sums.revenue >= sizes.at_least
"""
UNION = """
with touched as (
    select id as order_id from DW.STAGING_SHADOW.base_orders
    union
    select order_id from DW.RAW.order_items
)

select order_id, count(*) as changes from touched group by order_id
union all
select product_id, 0 from DW.RAW.order_items
"""


def node(kind: str, schema: str, name: str, **more: Any) -> dict[str, Any]:
    plain = {"resource_type": kind, "database": "dw", "schema": schema, "name": name, "alias": name}
    return {**plain, "depends_on": {"nodes": []}, **more}


def model(schema: str, name: str, code: str | None, *parents: str, **more: Any) -> dict[str, Any]:
    return node("model", schema, name, compiled_code=code, depends_on={"nodes": list(parents)}, **more)


NODES = {
    "mart": model("MARTS_SHADOW", "mart_customers", MART, "base", "sizes", alias="customers"),
    "base": model("STAGING_SHADOW", "base_orders", BASE),
    "sizes": node("seed", "STAGING_SHADOW", "sizes", columns={"size": {}, "at_least": {}}),
}
SOURCES = {name: node("source", "RAW", name) for name in ("orders", "order_items")}


def read(**changed: dict[str, Any]) -> Graph:
    manifest = {"sources": SOURCES, "nodes": {**NODES, **changed}}
    return Graph.of(Models(manifest, "_SHADOW", AS_OF).derivations())


def parents(known: Graph, column: str) -> list[str]:
    dataset, _, name = column.rpartition(".")
    return [str(parent) for parent in known.parents(Field(dataset, name))]


def test_columns_are_named_as_readers_see_them_and_in_the_order_of_the_select() -> None:
    assert read().datasets()["marts.customers"] == ["user_id", "orders", "revenue", "size", "days", "created_at"]


def test_a_column_is_followed_through_stars_named_steps_and_expressions() -> None:
    known = read()
    assert parents(known, "marts.customers.revenue") == ["staging.base_orders.id", "staging.base_orders.total_amount"]
    assert parents(known, "staging.base_orders.total_amount") == ["raw.orders.total_amount"]
    how = known.derivations[Field("marts.customers", "revenue")].how
    assert how == "sum(iff(orders.id > 0, orders.total_amount, 0))"


def test_what_is_looked_up_in_a_seed_is_made_of_what_it_is_looked_up_by() -> None:
    assert parents(read(), "marts.customers.size") == [
        "staging.base_orders.id",
        "staging.base_orders.total_amount",
        "staging.sizes.at_least",
        "staging.sizes.size",
    ]


def test_a_count_is_made_of_the_rows_of_its_table() -> None:
    known = read(union=model("STAGING_SHADOW", "changes", UNION, "base"))
    assert parents(known, "marts.customers.orders") == ["staging.base_orders.*"]
    assert parents(known, "staging.base_orders.*") == ["raw.orders.*"]
    assert parents(known, "staging.changes.changes") == ["raw.order_items.*", "staging.base_orders.*"]


def test_every_branch_of_a_union_is_a_parent() -> None:
    known = read(union=model("STAGING_SHADOW", "changes", UNION, "base"))
    assert parents(known, "staging.changes.order_id") == [
        "raw.order_items.order_id",
        "raw.order_items.product_id",
        "staging.base_orders.id",
    ]


def test_the_batchs_time_is_computed_and_so_is_a_seed() -> None:
    known = read().derivations
    assert known[Field("marts.customers", "created_at")].reason == FROM_AS_OF
    assert known[Field("marts.customers", "created_at")].how == "as_of"
    assert known[Field("staging.sizes", "size")].reason == FROM_FILE


def test_any_other_constant_has_to_be_declared() -> None:
    known = read()
    assert known.loose_ends(Field("marts.customers", "days")) == ["marts.customers.days = datediff(day, as_of, as_of)"]


def test_a_column_that_no_table_has_is_a_loose_end() -> None:
    lost = model("MARTS_SHADOW", "lost", "select a.id, b.sku from DW.RAW.orders as a, DW.RAW.nowhere as b")
    ends = read(lost=lost).loose_ends(Field("marts.lost", "sku"))
    assert ends == ["raw.nowhere.sku"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (model("MARTS_SHADOW", "late", None), "dbt has not compiled late"),
        (model("MARTS_SHADOW", "odd", "select id from ("), "the columns of odd cannot be followed"),
        (model("MARTS_SHADOW", "wide", "select * from DW.RAW.nowhere"), "wide selects the columns of a table that"),
    ],
)
def test_a_model_that_cannot_be_followed_is_named(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        read(broken=broken)


def test_a_source_without_a_contract_is_named() -> None:
    manifest = {"sources": {"x": node("source", "RAW", "flubber")}, "nodes": {}}
    with pytest.raises(Misconfigured, match="the source flubber, which no contract declares"):
        list(Models(manifest, "_SHADOW", AS_OF).derivations())
