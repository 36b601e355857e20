"""Sessions and funnels told offline from a whole history, one event at a time: slow, plain, obviously right.

Shares nothing with the speed layer but constants of the contracts and of ``rules.sessions``, and the table of sources.
"""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from concord.contracts.behaviour import DONE
from concord.rules.sessions import COUNT_OF, FUNNEL, INACTIVITY_MS
from concord.rules.traffic import traffic_source

Event = Mapping[str, Any]
Session = dict[str, Any]


def oracle(history: Iterable[Event]) -> dict[str, Session]:
    """Sessions by id, without version."""
    in_order = sorted(history, key=lambda event: (event["owner"], event["occurred_at"], event["event_id"]))
    sessions: dict[str, Session] = {}
    for owner, events in groupby(in_order, key=lambda event: event["owner"]):
        for session in _cut(events):
            told = _told(owner, session)
            sessions[told["session_id"]] = told
    return sessions


def funnel_minutes(sessions: Iterable[Session]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Measures of ``funnel_minutes`` by its key."""
    totals: dict[tuple[Any, ...], list[Any]] = {}
    for session in sessions:
        key = (_minute(session["started_at"]), session["customer_tier"] or "guest", session["traffic_source"])
        steps = [int(session["funnel_step"] >= step) for step in (1, 2, 3, 4)]
        counts = [session[counted] for counted in DONE.values()]
        abandoned = session["cart_value"] if session["funnel_step"] in (2, 3) else Decimal(0)
        _add(totals, key, [1, *steps, *counts, session["cart_value"], abandoned, session["purchase_value"]])
    return {key: tuple(measures) for key, measures in totals.items()}


def funnel_category_minutes(sessions: Iterable[Session]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Measures of ``funnel_category_minutes`` by its key."""
    totals: dict[tuple[Any, ...], list[Any]] = {}
    for session in sessions:
        for category, reached in json.loads(session["category_steps"]).items():
            _add(totals, (_minute(session["started_at"]), category), [int(reached >= step) for step in (1, 2, 3, 4)])
    return {key: tuple(measures) for key, measures in totals.items()}


def _cut(events: Iterable[Event]) -> Iterator[list[Event]]:
    session: list[Event] = []
    for event in events:
        if session and _begins(event, session):
            yield session
            session = []
        session.append(event)
    yield session


def _begins(event: Event, session: list[Event]) -> bool:
    if event["occurred_at"] - session[-1]["occurred_at"] > INACTIVITY_MS:
        return True
    if session[-1]["event_type"] == "LOGOUT":
        return True
    if event["event_type"] != "LOGIN":
        return False
    logins = [earlier["user_id"] for earlier in session if earlier["event_type"] == "LOGIN"]
    return bool(logins) and event["user_id"] != logins[0]


def _told(owner: str, events: list[Event]) -> Session:
    first, last = events[0], events[-1]
    namer = _namer(events)
    times = _chain(events)
    counts = Counter(event["event_type"] for event in events)
    return {
        "session_id": str(uuid.UUID(bytes=hashlib.md5(f"{owner}|{first['event_id']}".encode()).digest())),
        "owner": owner,
        "user_id": namer["user_id"] if namer else None,
        "customer_tier": namer["customer_tier"] if namer else None,
        "started_at": _instant(first),
        "ended_at": _instant(last),
        "first_event_id": first["event_id"],
        "last_event_id": last["event_id"],
        "is_logged_out": last["event_type"] == "LOGOUT",
        "has_login": counts["LOGIN"] > 0,
        "events": len(events),
        **{column: counts[kind] for kind, column in COUNT_OF.items()},
        "searches_without_result": sum(e["event_type"] == "SEARCH" and e["results_count"] == 0 for e in events),
        "funnel_step": len(times),
        **dict(zip(("viewed_at", "carted_at", "checkout_at", "purchased_at"), [*times, *[None] * 4], strict=False)),
        "cart_value": sum((_put_into_cart(event) for event in events), Decimal(0)),
        "purchase_value": sum((e["total_amount"] for e in events if e["event_type"] == "PURCHASE"), Decimal(0)),
        "traffic_source": traffic_source(first["page_url"], first["referrer"]).value,
        "device_type": first["device_type"],
        "category_steps": json.dumps(_by_category(events), separators=(",", ":"), ensure_ascii=False),
        "is_withdrawn": False,
    }


def _namer(events: list[Event]) -> Event | None:
    logins = [event for event in events if event["event_type"] == "LOGIN"]
    naming = [event for event in events if event["user_id"] is not None]
    return next(iter([*logins, *naming]), None)


def _chain(events: Iterable[Event]) -> list[datetime]:
    """When each step was reached."""
    times: list[datetime] = []
    for event in events:
        if len(times) < len(FUNNEL) and event["event_type"] == FUNNEL[len(times)]:
            times.append(_instant(event))
    return times


def _by_category(events: list[Event]) -> dict[str, int]:
    categories = sorted({event["product_category"] for event in events if event["product_category"] is not None})
    steps = {category: len(_chain(event for event in events if _concerns(event, category))) for category in categories}
    return {category: step for category, step in steps.items() if step}


def _concerns(event: Event, category: str) -> bool:
    return event["event_type"] in ("CHECKOUT_START", "PURCHASE") or event["product_category"] == category


def _put_into_cart(event: Event) -> Decimal:
    sign = {"ADD_TO_CART": 1, "REMOVE_FROM_CART": -1}.get(event["event_type"], 0)
    return sign * (event["quantity"] or 0) * (event["product_price"] or Decimal(0))


def _instant(event: Event) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event["occurred_at"])


def _minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _add(totals: dict[tuple[Any, ...], list[Any]], key: tuple[Any, ...], measures: list[Any]) -> None:
    totals[key] = [have + more for have, more in zip(totals.get(key, [0] * len(measures)), measures, strict=True)]
