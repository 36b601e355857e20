"""Sessions at rest against the oracle's, and where owners are cut into stretches."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from concord.chaos.oracle import oracle
from concord.chaos.recount import Built
from concord.chaos.sessions import COLUMNS, EVENTS_AT_ONCE, compared, spans
from concord.contracts.events import EventType
from tests.session_events import click

TOLD = oracle([click(EventType.PAGE_VIEW, at, at, device) for device in ("a", "b", "c") for at in (1, 2, 3)])
HELD = {id: {**session, "session_id": UUID(id)} for id, session in TOLD.items()}


def test_what_the_oracle_tells_is_every_column_at_rest():
    assert set(COLUMNS) <= set(next(iter(TOLD.values())))


def test_equal_sessions_do_not_differ():
    assert compared(HELD, TOLD) == []


def test_a_session_that_counts_wrong_is_named_with_both_values():
    first = min(HELD)
    [said] = compared({**HELD, first: {**HELD[first], "events": 4}}, TOLD)
    assert said == f"session {first}: events 4, 3 by the oracle"


def test_a_session_too_many_and_one_too_few_are_named():
    first, *others = sorted(HELD)
    assert compared({id: HELD[id] for id in others}, TOLD) == [f"session {first}: is not there"]
    assert compared(HELD, {id: TOLD[id] for id in others}) == [f"session {first}: the oracle knows none"]


def test_of_many_that_differ_the_rest_are_counted():
    told = oracle([click(EventType.PAGE_VIEW, 1, 1, f"device {number}") for number in range(9)])
    assert compared({}, told)[-1] == "6 more sessions differ"


@given(st.lists(st.integers(1, 2 * EVENTS_AT_ONCE), max_size=30))
def test_every_owner_is_in_one_span(counts):
    owners = [(f"{number:04}", count) for number, count in enumerate(counts)]
    found = list(spans(owners))
    assert all(last < first for (_, last), (first, _) in pairwise(found))
    assert all(any(first <= owner <= last for first, last in found) for owner, _ in owners)


def test_rows_of_a_summing_table_are_merged_before_they_are_compared():
    table = Built("minutes", "SummingMergeTree", ["minute"], {"minute": "DateTime", "events": "UInt64"}, ["a", "b"])
    assert table.recount() == "(a) union all (b)"
    said = table.signature("rows")
    assert "sum(events) as _events" in said
    assert "group by minute having _events != 0" in said


def test_states_are_merged_and_nulls_are_told_apart():
    days = Built(
        "days", "AggregatingMergeTree", ["day"], {"day": "Date", "users": "AggregateFunction(uniq, Int64)"}, []
    )
    assert "uniqMerge(users)" in days.signature("rows")
    ids = Built("ids", "MergeTree", ["id"], {"id": "Nullable(Int64)"}, [])
    assert "assumeNotNull(_id), isNull(_id)" in ids.signature("rows")
    assert "group by" not in ids.signature("rows")
