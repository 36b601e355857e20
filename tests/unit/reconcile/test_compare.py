"""Rows that differ are named by key and kind, and nothing else is."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from concord.reconcile.compare import Kind, compare

SCHEMA = {"id": pl.Int64(), "name": pl.String(), "cents": pl.Int64()}


def rows(*values: tuple[int, str | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(values), schema=SCHEMA, orient="row")


def verdict(left: pl.DataFrame, right: pl.DataFrame):
    return compare("orders", ("id",), ("left", left), ("right", right))


def test_equal_rows_in_any_order_agree():
    found = verdict(rows((1, "a", 5), (2, None, None)), rows((2, None, None), (1, "a", 5)))
    assert found.agrees
    assert found.left_digest == found.right_digest


def test_a_missing_an_extra_and_an_altered_row_are_named_by_key():
    found = verdict(rows((1, "a", 5), (2, "b", 6)), rows((2, "b", 7), (3, "c", 8)))
    assert [(d.key, d.kind) for d in found.differences] == [
        ((1,), Kind.MISSING),
        ((2,), Kind.ALTERED),
        ((3,), Kind.EXTRA),
    ]
    assert found.differences[1].values == {"cents": (6, 7)}


def test_null_and_empty_text_differ():
    found = verdict(rows((1, None, 1)), rows((1, "", 1)))
    assert found.differences[0].values == {"name": (None, "")}


def test_a_second_copy_of_a_row_is_a_difference():
    found = verdict(rows((1, "a", 5)), rows((1, "a", 5), (1, "a", 5)))
    assert [d.kind for d in found.differences] == [Kind.EXTRA]


def test_columns_that_only_one_side_has_are_left_out():
    found = verdict(rows((1, "a", 5)), rows((1, "a", 5)).drop("name"))
    assert found.agrees


KEYED = st.dictionaries(
    st.integers(0, 20), st.tuples(st.none() | st.text("ab", max_size=2), st.none() | st.integers(0, 3))
)


@given(KEYED, KEYED)
def test_the_differences_are_exactly_the_keys_whose_rows_differ(left, right):
    found = verdict(rows(*((k, *v) for k, v in left.items())), rows(*((k, *v) for k, v in right.items())))
    expected = {k for k in left | right if left.get(k, ...) != right.get(k, ...)}
    assert {d.key[0] for d in found.differences} == expected
    assert found.agrees == (not expected)
