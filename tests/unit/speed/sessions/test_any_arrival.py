"""However a history arrives, cut into whatever micro-batches: its sessions and funnels are the oracle's.

``CONCORD_SESSION_TRIALS`` sets the number of histories; the default takes some seconds.
"""

import os
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concord.chaos.oracle import funnel_category_minutes, funnel_minutes, oracle
from concord.contracts.events import EventType
from concord.rules.sessions import INACTIVITY_MS
from tests.session_events import Event, SpeedLayer, click

TRIALS = int(os.environ.get("CONCORD_SESSION_TRIALS", "60"))

PAUSES = (0, 0, 1, 1_000, 600_000, INACTIVITY_MS - 1, INACTIVITY_MS, INACTIVITY_MS + 1)
ABOUT_SOMEBODY = (EventType.LOGIN, EventType.LOGOUT)
ABOUT_A_PRODUCT = (EventType.PRODUCT_VIEW, EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART)
PRICES = st.none() | st.decimals("0.01", "99999999.99", places=2)


@st.composite
def payloads(draw: st.DrawFn, kind: EventType) -> dict[str, Any]:
    user = draw(st.sampled_from([1, 2] if kind in ABOUT_SOMEBODY else [None, None, 1, 2]))
    values: dict[str, Any] = {
        "user_id": user,
        "customer_tier": draw(st.sampled_from(["gold", "silver"])) if user else None,
    }
    if kind in ABOUT_A_PRODUCT:
        values["product_category"] = draw(st.sampled_from(["toys", 'ü"\\', None]))
        values["product_price"] = draw(PRICES)
        values["quantity"] = draw(st.sampled_from([1, 1_000_000]))
    if kind is EventType.PURCHASE:
        values["total_amount"] = draw(PRICES.filter(lambda price: price is not None))
    if kind is EventType.SEARCH:
        values["results_count"] = draw(st.integers(0, 1))
    values["referrer"] = draw(st.sampled_from([None, "https://news.example.com/"]))
    return values


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Of one to four devices. Ids are drawn, so the order of one millisecond is any."""
    steps = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(PAUSES), st.sampled_from(EventType)), min_size=1, max_size=40
        )
    )
    ids = draw(st.permutations(range(len(steps))))
    clocks = [0] * 4
    history = []
    for number, (device, pause, kind) in zip(ids, steps, strict=True):
        clocks[device] += pause
        history.append(click(kind, clocks[device], number, f"device {device}", **draw(payloads(kind))))
    return history


@st.composite
def micro_batches(draw: st.DrawFn) -> list[list[Event]]:
    history = draw(histories())
    order = draw(st.permutations(history) | st.just(history))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=6)) | {0, len(order)})
    return [[*order[low:high]] for low, high in pairwise(cuts)]


@settings(max_examples=TRIALS, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(micro_batches(), st.data())
def test_sessions_and_funnels_are_the_oracles(arriving: list[list[Event]], data: st.DataObject) -> None:
    layer = SpeedLayer()
    for number, events in enumerate(arriving):
        if data.draw(st.booleans(), label="lose the state"):
            layer.restart()
        if data.draw(st.booleans(), label="fail once"):
            layer.changes(events)
        known = {id: row for id, row in layer.written.items() if not row["is_withdrawn"]}
        changes = layer.take(*events)
        before = {row["session_id"]: row for row in changes.before.to_dicts()}
        assert before == {id: known[id] for id in before}
        assert {id for id in known if id in set(changes.after["session_id"])} == set(before)
        if data.draw(st.booleans(), label="settle"):
            still_to_come = [event["occurred_at"] for later in arriving[number + 1 :] for event in later]
            layer.state.settle(min(still_to_come, default=2**60))
    expected = oracle(layer.at_rest)
    assert layer.sessions == expected
    assert layer.minutes == funnel_minutes(expected.values())
    assert layer.category_minutes == funnel_category_minutes(expected.values())
