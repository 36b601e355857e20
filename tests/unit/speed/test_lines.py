"""Lines of values become typed columns: what each value of a line means."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from concord.contracts.events import EVENTS
from concord.dialects.arrow import arrow_schema
from concord.speed.lexical import DELIMITER, LINE_FIELDS
from concord.speed.lines import typed
from concord.speed.records import POSITION


def one(**values: str) -> dict[str, Any]:
    line = DELIMITER.join(values.get(column.name, "") for column in LINE_FIELDS)
    row: dict[str, Any] = typed(pa.chunked_array([[line]])).to_pylist()[0]
    return row


def test_columns_are_those_of_events_but_the_position() -> None:
    declared = [field for field in arrow_schema(EVENTS) if field.name not in POSITION]

    for lines in ([], ["\x1f" * (len(LINE_FIELDS) - 1)]):
        found = typed(pa.chunked_array([lines], pa.string())).schema
        assert [(field.name, field.type) for field in found] == [(field.name, field.type) for field in declared]


def test_what_is_not_given_is_null_and_empty_text_is_text() -> None:
    row = one(page_url='""')

    assert row["page_url"] == ""
    assert all(value is None for name, value in row.items() if name != "page_url")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-06-01T12:00:00Z", datetime(2024, 6, 1, 12, tzinfo=UTC)),
        ("2024-06-01T12:00:00.1Z", datetime(2024, 6, 1, 12, 0, 0, 100_000, tzinfo=UTC)),
        ("2024-06-01T12:00:00.123999Z", datetime(2024, 6, 1, 12, 0, 0, 123_000, tzinfo=UTC)),
        ("2024-06-01T12:00:00.5+05:30", datetime(2024, 6, 1, 6, 30, 0, 500_000, tzinfo=UTC)),
        ("2024-02-29T23:59:59-00:00", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_are_utc_cut_to_milliseconds(text: str, moment: datetime) -> None:
    assert one(occurred_at=text)["occurred_at"] == moment


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        (r'"say \"hi\""', 'say "hi"'),
        (r'"https:\/\/x\\"', "https://x\\"),
        ('"null"', "null"),
        ('", é 🎁 \u2028\x7f\'"', ", é 🎁 \u2028\x7f'"),
    ],
)
def test_text_is_unquoted_and_unescaped(quoted: str, text: str) -> None:
    assert one(user_agent=quoted, category=quoted) == one() | {"user_agent": text, "category": text}


def test_numbers_decimals_and_identifiers_get_their_canonical_form() -> None:
    row = one(user_id="999999999999999999", price="12.5", quantity="7", event_id="018FD0C2-5A00-7067-8A00-00000000ABCD")

    assert row["user_id"] == 999_999_999_999_999_999
    assert (row["price"], row["quantity"]) == (Decimal("12.50"), 7)
    assert row["event_id"] == "018fd0c2-5a00-7067-8a00-00000000abcd"


def test_properties_stay_as_they_came() -> None:
    text = '{ "a": "b\u2028", "n":[1, 2.50,null] }'

    assert one(properties=text)["properties"] == text


def test_lines_of_several_chunks_stay_in_order() -> None:
    line = DELIMITER * (len(LINE_FIELDS) - 1)
    rows = typed(pa.chunked_array([["2024-06-01T00:00:01Z" + line], ["2024-06-01T00:00:02Z" + line]]))

    assert [moment.second for moment in rows["occurred_at"].to_pylist()] == [1, 2]
