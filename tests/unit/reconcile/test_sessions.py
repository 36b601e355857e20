"""Sessions that two layers made of the same events are compared; those within reach of another event are not."""

from collections.abc import Iterator
from itertools import groupby

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from concord.chaos.oracle import oracle
from concord.contracts.events import EventType
from concord.reconcile.sessions import LATE, comparable
from concord.rules.sessions import INACTIVITY_MS
from tests.session_events import NOON, Event, click

BOTH, LATE_ONE, ONLY_SPEED, ONLY_BATCH = "both", "late", "above the cut in speed", "above the cut in batch"
KINDS = (EventType.PAGE_VIEW, EventType.LOGIN, EventType.LOGOUT)
SCHEMA = {
    "session_id": pl.String(),
    "owner": pl.String(),
    "started_at": pl.Int64(),
    "ended_at": pl.Int64(),
    "events": pl.Int64(),
}
Told = tuple[Event, str]

TOLD = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from("ab"),
        st.integers(0, 24).map(lambda halves: halves * INACTIVITY_MS // 2),
        st.integers(1, 2),
        st.sampled_from((BOTH, BOTH, BOTH, LATE_ONE, ONLY_SPEED, ONLY_BATCH)),
    ),
    max_size=16,
).map(lambda drawn: [(click(k, at, n, d, user_id=u), who) for n, (k, d, at, u, who) in enumerate(drawn)])


def milliseconds(session: dict, name: str) -> int:
    return round(session[name].timestamp() * 1000)


def frame(told: list[Told], whose: set[str]) -> pl.DataFrame:
    """Sessions of the events that a layer holds, in canonical form."""
    sessions = oracle(event for event, who in told if who in whose).values()
    rows = [
        (s["session_id"], s["owner"], *(milliseconds(s, name) for name in ("started_at", "ended_at")), s["events"])
        for s in sessions
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def with_late(sessions: pl.DataFrame, told: list[Told]) -> pl.DataFrame:
    late = [event for event, who in told if who == LATE_ONE]
    counts = [
        sum(
            event["owner"] == row["owner"] and row["started_at"] <= event["occurred_at"] <= row["ended_at"]
            for event in late
        )
        for row in sessions.iter_rows(named=True)
    ]
    return sessions.with_columns(pl.Series(LATE, counts, pl.Int64))


def split(told: list[Told], since_ms: int = 0):
    batch = with_late(frame(told, {BOTH, LATE_ONE, ONLY_BATCH}), told)
    above = [(e["owner"], e["occurred_at"]) for e, who in told if who in (ONLY_SPEED, ONLY_BATCH)]
    beyond = pl.DataFrame(above, schema={"owner": pl.String(), "occurred_at": pl.Int64()}, orient="row")
    return comparable(frame(told, {BOTH, ONLY_SPEED}), batch, beyond, since_ms)


def out_of_reach(told: list[Told]) -> set[str]:
    """Sessions of the stretches without a strange event, told stretch by stretch."""
    pure = [[event for event, _ in each] for each in stretches(told) if all(who == BOTH for _, who in each)]
    return {session for events in pure for session in oracle(events)}


def stretches(told: list[Told]) -> Iterator[list[Told]]:
    """Each owner's events, parted where a pause is too long for a session."""
    in_order = sorted(told, key=lambda each: (each[0]["owner"], each[0]["occurred_at"]))
    for _, of_owner in groupby(in_order, key=lambda each: each[0]["owner"]):
        stretch: list[Told] = []
        for each in of_owner:
            if stretch and each[0]["occurred_at"] - stretch[-1][0]["occurred_at"] > INACTIVITY_MS:
                yield stretch
                stretch = []
            stretch.append(each)
        yield stretch


@settings(deadline=None)
@given(TOLD)
@example([(click(EventType.LOGOUT, 0, 1), BOTH), (click(EventType.PAGE_VIEW, 0, 2), LATE_ONE)])
def test_what_is_compared_is_equal_and_is_all_that_no_strange_event_reaches(told: list[Told]) -> None:
    found = split(told)
    assert found.speed.sort("session_id").equals(found.batch.sort("session_id"))
    assert set(found.speed["session_id"]) == out_of_reach(told)


@settings(deadline=None)
@given(TOLD)
def test_every_session_is_compared_or_set_aside(told: list[Told]) -> None:
    found = split(told)
    either = {*frame(told, {BOTH, ONLY_SPEED})["session_id"], *frame(told, {BOTH, LATE_ONE, ONLY_BATCH})["session_id"]}
    assert len(found.speed) + found.set_aside == len(either)


def test_a_session_that_began_too_early_takes_its_neighbours_with_it() -> None:
    visits = ((0, 1), (1, 2), (INACTIVITY_MS + 1, 3), (3 * INACTIVITY_MS, 4))
    told = [(click(EventType.LOGOUT, at, number), BOTH) for at, number in visits]
    found = split(told, since_ms=NOON + 1)
    assert list(found.speed["started_at"]) == [NOON + 3 * INACTIVITY_MS]
    assert found.set_aside == 3
