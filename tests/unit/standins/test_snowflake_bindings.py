"""Bound values as drivers send them."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from concord.standins.snowflake.bindings import rows_of, value_of


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("FIXED", "-5", -5),
        ("FIXED", "12.50", Decimal("12.50")),
        ("REAL", "1.5", 1.5),
        ("BOOLEAN", "TRUE", True),
        ("BINARY", "00ff", b"\x00\xff"),
        ("DATE", "-86400000", date(1969, 12, 31)),
        ("TIME", "3600000001000", time(1, 0, 0, 1)),
        ("TIMESTAMP_NTZ", "1704067200123456000", datetime(2024, 1, 1, 0, 0, 0, 123456)),  # noqa: DTZ001
        ("TIMESTAMP_LTZ", "0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("TIMESTAMP_TZ", "0 1500", datetime(1970, 1, 1, tzinfo=UTC)),
        ("TEXT", "007", "007"),
        ("TEXT", None, None),
    ],
)
def test_bound_value_has_the_type_it_was_sent_with(kind: str, text: str | None, expected: Any) -> None:
    assert value_of(kind, text) == expected


def test_array_binding_is_one_row_per_value() -> None:
    bindings = {"1": {"type": "FIXED", "value": ["1", "2"]}, "2": {"type": "TEXT", "value": ["a", None]}}
    assert rows_of(bindings) == [(1, "a"), (2, None)]


def test_single_values_are_one_row() -> None:
    assert rows_of({"2": {"type": "TEXT", "value": "b"}, "1": {"type": "TEXT", "value": "a"}}) == [("a", "b")]
