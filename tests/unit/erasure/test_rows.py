"""Rows of the lake: the person's are erased where they lie, all others are as they were."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa

from concord.contracts.events import EVENTS, EVENTS_LANDING, EventType
from concord.contracts.model import Dataset
from concord.contracts.tables import TOAST_PLACEHOLDER, USERS, as_change
from concord.dialects.arrow import arrow_schema
from concord.erasure import rows
from concord.erasure.person import Person
from concord.erasure.values import token
from tests.factories import EPOCH, change_row, event_bytes, row

ADA = Person(42, b"salt", frozenset({"ada@x.org"}), frozenset({"device-1"}))


def as_arrow(dataset: Dataset, values: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(values), schema=arrow_schema(dataset))


def test_versions_of_a_user_lose_what_names_them_and_nothing_else() -> None:
    log = as_change(USERS)
    was = as_arrow(
        log,
        [
            change_row(USERS, id=42, email="ada@x.org", first_name="Ada", last_name=None),
            change_row(USERS, id=42, email="ada@x.org", first_name=TOAST_PLACEHOLDER, last_name="L", offset=1),
            change_row(USERS, id=43, email="ada@x.org", first_name="Other", last_name="L", offset=2),
        ],
    )
    change = rows.profile(ADA, USERS, "id", [42])
    erased, count = change(was)
    assert count == 2
    values = [(r["email"], r["first_name"], r["last_name"]) for r in erased.to_pylist()]
    assert values == [
        ("erased-42@erased.invalid", "erased", None),
        ("erased-42@erased.invalid", TOAST_PLACEHOLDER, "erased"),
        ("ada@x.org", "Other", "L"),
    ]
    rest = [name for name in log.names if name not in ("email", "first_name", "last_name")]
    assert erased.select(rest) == was.select(rest)
    assert change(erased) == (erased, 0)


def test_events_of_the_user_and_of_their_device() -> None:
    was = as_arrow(
        EVENTS,
        [
            row(EVENTS, event_type=EventType.SEARCH, user_id=42, anonymous_id="device-1", search_query="ada"),
            row(EVENTS, event_type=EventType.PAGE_VIEW, user_id=None, anonymous_id="device-1", search_query=None),
            row(EVENTS, event_type=EventType.PAGE_VIEW, user_id=7, anonymous_id="device-2", search_query=None),
            row(EVENTS, event_type=EventType.PAGE_VIEW, user_id=42, anonymous_id=None, search_query=None),
        ],
    )
    change = rows.events(ADA)
    erased, count = change(was)
    assert count == 3
    owner = token(ADA.salt, "device-1")
    assert erased["anonymous_id"].to_pylist() == [owner, owner, "device-2", None]
    assert erased["search_query"].to_pylist() == ["erased", None, None, None]
    assert erased.slice(2, 1) == was.slice(2, 1)
    assert change(erased)[1] == 0


def test_landed_records_of_the_person_whatever_they_are() -> None:
    values = [event_bytes(anonymous_id="device-1"), b'{"x":"ada@x.org"', event_bytes(anonymous_id="device-2"), None]
    was = as_arrow(
        EVENTS_LANDING,
        [
            row(EVENTS_LANDING, value=each, _timestamp=EPOCH + timedelta(hours=1), _offset=n)
            for n, each in enumerate(values)
        ],
    )
    erased, count = rows.records(ADA, "value")(was)
    assert count == 2
    assert erased["value"].to_pylist()[2:] == values[2:]
    assert b"device-1" not in erased["value"].to_pylist()[0]
    assert erased["value"].to_pylist()[1] == b'{"x":"xxx@x.xxx"'
