"""Tables are cut by the bytes that they hold."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.dialects.arrow import pieces

ROWS = pa.table(
    {
        "text": ["a" * 100, None, "b" * 10, "", "c" * 300],
        "bytes": [b"x" * 50, b"y", None, b"", b"z" * 20],
        "price": pa.array([Decimal("1.50"), None, Decimal(2), Decimal(3), Decimal(4)], pa.decimal128(10, 2)),
        "at": pa.array([datetime(2026, 3, 1, tzinfo=UTC)] * 5, pa.timestamp("us", "UTC")),
        "is_new": [True, None, False, True, True],
    }
)


def test_what_is_small_stays_whole() -> None:
    assert [piece.num_rows for piece in pieces(ROWS, ROWS.nbytes)] == [5]


@pytest.mark.parametrize(("most", "expected"), [(420, [2, 3]), (200, [2, 1, 1, 1]), (1, [1] * 5)])
def test_a_piece_has_so_many_bytes_or_one_row(most: int, expected: list[int]) -> None:
    cut = list(pieces(ROWS, most))

    assert [piece.num_rows for piece in cut] == expected
    assert pa.concat_tables(cut) == ROWS


@given(st.integers(1, 700), st.integers(0, 5))
def test_the_same_rows_are_cut_alike_however_they_came(most: int, place: int) -> None:
    """A store that drops a repeated piece by its name relies on it."""
    joined = pa.concat_tables([ROWS.slice(0, place), ROWS.slice(place)])

    for otherwise in (joined, joined.take(pa.array(range(5))), joined.combine_chunks()):
        assert list(pieces(otherwise, most)) == list(pieces(ROWS, most))
