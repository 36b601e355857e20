"""Columns are followed to where data begin, and nothing that gets lost on the way is passed over."""

import pytest

from concord.errors import Misconfigured
from concord.lineage.document import column_document, dataset_document
from concord.lineage.graph import ROWS, Derivation, Field, Graph, copies

SHOP = Field("postgres.orders", "total_amount")
RAW = Field("raw.orders", "total_amount")
REVENUE = Field("marts.daily", "revenue")
ORDERS = Field("marts.daily", "orders")
STAMP = Field("marts.daily", "created_at")


def graph(*more: Derivation) -> Graph:
    return Graph.of(
        [
            *copies("raw.orders", "postgres.orders", {"total_amount": "total_amount"}, "load"),
            Derivation(REVENUE, (RAW, STAMP), "mart_daily", "sum(total_amount)"),
            Derivation(ORDERS, (Field("raw.orders", ROWS),), "mart_daily", "count(*)"),
            *(more or [Derivation(STAMP, (), "mart_daily", "as_of", reason="the batch's time")]),
        ]
    )


def test_a_column_is_followed_to_the_source_and_to_what_is_computed() -> None:
    known = graph()
    assert [step.field for step in known.upstream(REVENUE)] == [REVENUE, RAW, STAMP]
    assert known.sources(REVENUE) == [SHOP]
    assert [step.field for step in known.computed(REVENUE)] == [STAMP]
    assert known.loose_ends(REVENUE) == []


def test_a_count_comes_from_the_rows_of_a_source() -> None:
    assert graph().sources(ORDERS) == [Field("postgres.orders", ROWS)]


def test_a_source_column_is_followed_to_everything_made_of_it() -> None:
    assert graph().downstream(SHOP) == [REVENUE, RAW]
    assert graph().sources(SHOP) == [SHOP]


def test_a_constant_that_nobody_declared_is_a_loose_end() -> None:
    word = Derivation(Field("marts.daily", "word"), (), "mart_daily", "'x'")
    assert graph(word).loose_ends(word.field) == ["marts.daily.word = 'x'"]


def test_a_parent_that_nobody_makes_is_a_loose_end_of_everything_below_it() -> None:
    lost = Derivation(STAMP, (Field("raw.orders", "nowhere"),), "mart_daily")
    assert graph(lost).loose_ends(REVENUE) == ["raw.orders.nowhere"]
    assert graph(lost).loose_ends(Field("marts.daily", "no_such")) == ["marts.daily.no_such"]


def test_columns_that_are_made_of_each_other_are_followed_once() -> None:
    known = graph(Derivation(STAMP, (REVENUE,), "mart_daily"))
    assert [step.field for step in known.upstream(STAMP)] == [STAMP, REVENUE, RAW]


def test_a_column_that_two_steps_make_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"two steps make marts\.daily\.revenue: mart_daily and another"):
        graph(Derivation(REVENUE, (RAW,), "another"))


def test_datasets_have_their_columns_and_no_rows() -> None:
    assert graph().datasets() == {
        "raw.orders": ["total_amount"],
        "marts.daily": ["revenue", "orders", "created_at"],
        "postgres.orders": ["total_amount"],
    }


def test_a_document_tells_steps_ends_and_what_is_made_of_a_column() -> None:
    document = column_document(graph(), REVENUE)
    assert document["sources"] == ["postgres.orders.total_amount"]
    assert document["computed"] == [{"column": "marts.daily.created_at", "by": "the batch's time"}]
    assert document["unresolved"] == document["downstream"] == []
    assert document["upstream"][0] == {
        "column": "marts.daily.revenue",
        "from": ["raw.orders.total_amount", "marts.daily.created_at"],
        "step": "mart_daily",
        "how": "sum(total_amount)",
    }
    assert [one["column"] for one in dataset_document(graph(), "marts.daily")["columns"]] == [
        "marts.daily.revenue",
        "marts.daily.orders",
        "marts.daily.created_at",
    ]
