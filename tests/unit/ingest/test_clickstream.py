"""Events: simulated, valid, and shaped like visits."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from concord.contracts.events import EventType
from concord.ingest.clickstream import Bought, Order, replayed
from concord.ingest.faults import FAULTS, POISON, Fault
from concord.rules.quality import Accepted, Rejected, judge

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def order(**named: Any) -> Order:
    lines = (Bought(1, "bags", "JUMBO BAG", 10, Decimal("1.95")), Bought(2, "kitchen", "MUG", 2, Decimal("0.85")))
    values = {
        "id": 7,
        "number": "536365",
        "user_id": 17850,
        "is_cancelled": False,
        "total": Decimal("21.20"),
        "placed_at": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
        "bought": lines,
    }
    return Order(**{**values, **named})


def documents(order: Order) -> list[dict[str, Any]]:
    return [dict(event.document) for event in replayed(order, NOW)]


@pytest.mark.parametrize("number", [str(number) for number in range(536365, 536465)])
def test_every_replayed_event_is_valid_simulated_and_keeps_its_historical_time(number: str) -> None:
    for event in replayed(order(number=number), NOW):
        assert isinstance(judge(event.encoded(), NOW), Accepted)
        assert event.document["properties"]["simulated"] is True
        assert event.document["properties"]["historical_at"].startswith("2010-12-01T")


def test_a_replay_ends_now_and_is_not_late() -> None:
    times = [datetime.fromisoformat(document["occurred_at"]) for document in documents(order())]
    assert times == sorted(times)
    assert times[-1] == NOW
    assert NOW - times[0] < timedelta(minutes=30)


def test_the_purchase_names_the_order_and_what_it_is_worth() -> None:
    [bought] = [document for document in documents(order()) if document["event_type"] == EventType.PURCHASE]
    assert (bought["order_id"], bought["total_amount"], bought["user_id"]) == (7, "21.20", 17850)


def test_a_user_is_unknown_before_the_login_and_known_after_it() -> None:
    by_device: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in documents(order()):
        by_device[document["anonymous_id"]].append(document)
    buying = by_device["17850-536365"]
    login = [document["event_type"] for document in buying].index(EventType.LOGIN)
    assert {document["user_id"] for document in buying[:login]} == {None}
    assert {document["user_id"] for document in buying[login:]} == {17850}


def test_a_guest_buys_without_a_login() -> None:
    types = [document["event_type"] for document in documents(order(user_id=None))]
    assert EventType.PURCHASE in types
    assert EventType.LOGIN not in types


def test_nobody_buys_a_cancellation_or_an_adjustment() -> None:
    cancelled = [document["event_type"] for document in documents(order(is_cancelled=True))]
    assert cancelled == [EventType.LOGIN, EventType.PAGE_VIEW, EventType.LOGOUT]
    assert documents(order(is_cancelled=True, user_id=None)) == []
    assert documents(order(total=Decimal("-11062.06"))) == []


def test_replaying_again_later_gives_the_same_identities() -> None:
    first = [event.event_id for event in replayed(order(), NOW)]
    again = [event.event_id for event in replayed(order(), NOW + timedelta(days=1))]
    assert first == again
    assert len(set(first)) == len(first)
    assert not set(first) & {event.event_id for event in replayed(order(number="536366"), NOW)}


@pytest.mark.parametrize("fault", [*FAULTS, *POISON], ids=lambda fault: fault.name)
@pytest.mark.parametrize("index", range(5))
def test_every_fault_is_refused_for_its_reason(fault: Fault, index: int) -> None:
    verdict = judge(fault.spoil(dict(replayed(order(), NOW)[index].document)), NOW)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is fault.reason
