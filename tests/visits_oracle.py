"""What sessions and funnels of the warehouse must hold after a history, told event by event in plain Python."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from concord.chaos.oracle import Session, oracle
from concord.contracts.behaviour import GUEST, LATENESS_SECONDS
from concord.contracts.funnels import BATCH_SESSIONS
from concord.rules.ratios import ratio
from concord.rules.sessions import owner_of
from tests.marts_oracle import Oracle

Row = dict[str, Any]
Values = tuple[Any, ...]
TOLD = [name for name in BATCH_SESSIONS.names if name not in ("late_events", "processed_at")]
STEPS = (1, 2, 3, 4)


@dataclass
class VisitsOracle:
    """Sessions of every event of the history, whenever it came; tiers are the shop's at the end of each day."""

    shop: Oracle

    def expected(self) -> dict[str, list[Values]]:
        """Every dataset's rows, sorted by their keys."""
        return {
            "sessions": [self.session(each) for _, each in sorted(self.sessions.items())],
            "funnel": list(self.funnel()),
            "category_funnel": list(self.category_funnel()),
        }

    @cached_property
    def events(self) -> list[Row]:
        return [self.as_told(row) for row in self.shop.history.visits.rows]

    @cached_property
    def sessions(self) -> dict[str, Session]:
        return oracle(self.events)

    def as_told(self, row: Row) -> Row:
        """The event as the oracle takes it; of the product it leaves out what the catalogue has."""
        product = self.shop.products.get(row["product_id"], {"category": None, "price": None})
        return {
            **row,
            "owner": owner_of(row["anonymous_id"], row["user_id"]),
            "occurred_at": milliseconds(row["occurred_at"]),
            "customer_tier": None,
            "product_category": product["category"] if row["category"] is None else row["category"],
            "product_price": product["price"] if row["price"] is None else row["price"],
        }

    def session(self, session: Session) -> Values:
        return (*(session[name] for name in TOLD), self.late_events(session))

    def late_events(self, session: Session) -> int:
        """An owner's sessions do not overlap, but an event of the next one may share the last one's millisecond."""
        first, last = ((session[name], session[f"{which}_event_id"]) for name, which in ENDS)
        allowed = timedelta(seconds=LATENESS_SECONDS)
        late = (row for row in self.shop.history.visits.rows if row["_timestamp"] - row["occurred_at"] > allowed)
        return sum(
            owner_of(row["anonymous_id"], row["user_id"]) == session["owner"]
            and first <= (row["occurred_at"], row["event_id"]) <= last
            for row in late
        )

    def funnel(self) -> Iterator[Values]:
        groups: dict[tuple[date, str, str], list[Session]] = defaultdict(list)
        for session in self.sessions.values():
            day = session["started_at"].date()
            groups[day, self.tier(session["user_id"], day), session["traffic_source"]].append(session)
        for key, sessions in sorted(groups.items()):
            counts = [sum(session["funnel_step"] >= step for session in sessions) for step in STEPS]
            sums = [sum((s[name] for s in sessions), Decimal(0)) for name in ("cart_value", "purchase_value")]
            yield (
                *key,
                len(sessions),
                *counts,
                *sums,
                ratio(counts[0], len(sessions)),
                *rates(counts),
                ratio(counts[3], len(sessions)),
            )

    def tier(self, user_id: int | None, day: date) -> str:
        return GUEST if user_id is None else self.tiers[day].get(user_id, "bronze")

    @cached_property
    def tiers(self) -> dict[date, dict[int, str]]:
        days = {session["started_at"].date() for session in self.sessions.values()}
        return {day: self.shop.tiers_by(day) for day in days}

    def category_funnel(self) -> Iterator[Values]:
        groups: dict[tuple[date, str], list[int]] = defaultdict(list)
        for session in self.sessions.values():
            for category, reached in steps_by_category(session):
                groups[session["started_at"].date(), category].append(reached)
        for key, reached in sorted(groups.items()):
            counts = [sum(each >= step for each in reached) for step in STEPS]
            yield (*key, *counts, *rates(counts), ratio(counts[3], counts[0]))


ENDS = (("started_at", "first"), ("ended_at", "last"))


def steps_by_category(session: Session) -> Iterable[tuple[str, int]]:
    return json.loads(session["category_steps"]).items()


def rates(counts: list[int]) -> Iterator[Decimal | None]:
    """Of each step over the one before it."""
    return (ratio(reached, before) for before, reached in pairwise(counts))


def milliseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
