"""A synthetic shop at work: changes into PostgreSQL, its clickstream into Kafka, all in a ledger.

What happens is decided by seed, name and start alone (:func:`actions`); carrying it out is separate
(:func:`generate_shop`). The same arguments on ids from 1 on give the same bytes.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, groupby
from math import inf
from random import Random

from concord.contracts.names import EVENTS_TOPIC
from concord.gateways.kafka import Kafka
from concord.gateways.postgres import Postgres
from concord.ingest.changes import Change, ChangeKind, Ids, SequenceIds, carry_out
from concord.ingest.faults import spoiled
from concord.ingest.ledger import INVALID, EventClass, Ledger
from concord.ingest.pace import Pace
from concord.ingest.publish import Outgoing, Publisher, publisher
from concord.ingest.shop import Shop
from concord.ingest.visits import Visits

TICK_SECONDS = 0.05
"""What is due within a tick is sent together: changes first, so an order is there before its purchase."""
LATE_BY = (timedelta(hours=25), timedelta(hours=72))
FUTURE_BY = (timedelta(hours=1), timedelta(days=3650))
HELD_BACK_SECONDS = (0.5, 10.0)
REPEATABLE = 5_000
"""Duplicates are copies of one of so many last records."""
SECONDS_BETWEEN_CLICKS = 2
"""Of one visitor; so many visitors are there at once that it comes out."""


@dataclass(frozen=True)
class Shares:
    """Parts of all events that are not simply valid; together below 1."""

    invalid: float = 0.01
    duplicate: float = 0.01
    late: float = 0.005
    out_of_order: float = 0.02
    future: float = 0.002


@dataclass(frozen=True)
class Plan:
    """One run. ``name`` makes identities, SKUs and addresses its own; ``start`` is when its first event happens."""

    name: str
    seed: int
    start: datetime
    seconds: float
    events_per_second: float = 100.0
    changes_per_second: float = 10.0
    users: int = 100
    products: int = 200
    shares: Shares = field(default_factory=Shares)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that happens ``offset`` seconds after the start: a change of the shop or a record."""

    offset: float
    what: Change | Outgoing


@dataclass
class Report:
    """What a run did: changes by kind (each one transaction), records by class."""

    changes: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


Progress = Callable[[int, int], None]
"""Called with tenths of seconds of the plan done and in all."""


def generate_shop(
    postgres: Postgres,
    kafka: Kafka,
    plan: Plan,
    ledger: Ledger,
    progress: Progress = lambda done, total: None,
    is_paced: bool = True,
    topic: str = EVENTS_TOPIC,
) -> Report:
    """Carry out a plan; everything is committed and acknowledged when it returns.

    ``is_paced``: in real time from now on, else as fast as it goes (then let the plan end now: events
    far ahead of Kafka's clock are dead letters). Raises :class:`Unavailable` if an engine fails;
    the ledger then holds what was sent until then.
    """
    report = Report()
    clicks = publisher(kafka, ledger, topic)
    ledger.note(name=plan.name, seed=plan.seed, start=plan.start.isoformat(), plan=plan)
    pace = Pace(None)
    with postgres.connect() as session:
        try:
            for offset, batch in ticks(actions(plan, SequenceIds(session))):
                if is_paced:
                    pace.wait_until(offset)
                report.changes += carry_out(session, [action for action in batch if isinstance(action, Change)])
                _publish(clicks, report, [action for action in batch if isinstance(action, Outgoing)])
                progress(int(min(offset, plan.seconds) * 10), int(plan.seconds * 10))
        finally:
            clicks.flush()
    return report


def _publish(clicks: Publisher, report: Report, records: Sequence[Outgoing]) -> None:
    clicks.send(records)
    report.events.update(record.event_class for record in records)


def ticks(happening: Iterator[Action]) -> Iterator[tuple[float, list[Change | Outgoing]]]:
    """Actions grouped by tick: the second at which the tick ends, and what happens in it."""
    for number, actions_ in groupby(happening, key=lambda action: int(action.offset / TICK_SECONDS)):
        yield (number + 1) * TICK_SECONDS, [action.what for action in actions_]


def actions(plan: Plan, ids: Ids) -> Iterator[Action]:
    """Everything that happens, in order of time. First the shop opens."""
    run = _Run(plan, ids)
    for change in run.shop.opening(plan.users, plan.products, plan.start):
        yield Action(0.0, change)
    for offset, make in heapq.merge(
        _slots(plan.seconds, plan.changes_per_second, run.change),
        _slots(plan.seconds, plan.events_per_second, run.record),
        key=lambda slot: slot[0],
    ):
        yield from make(offset)
    yield from run.everything_held_back(plan.seconds)


Slot = tuple[float, Callable[[float], Iterator[Action]]]
"""When, and what makes the action of that moment: not before its turn, for it draws on all before it."""


def _slots(seconds: float, per_second: float, make: Callable[[float], Iterator[Action]]) -> Iterator[Slot]:
    return ((number / per_second, make) for number in range(round(seconds * per_second)))


class _Run:
    """Chance and state of one run. Shop, visits and identities draw from sources of their own."""

    def __init__(self, plan: Plan, ids: Ids) -> None:
        self._plan = plan
        self._rng = Random(f"{plan.seed} classes")
        self.shop = Shop(Random(f"{plan.seed} shop"), ids, plan.name)
        self._visits = Visits(
            Random(f"{plan.seed} visits"),
            Random(f"{plan.seed} {plan.name} identities"),
            self.shop,
            plan.name,
            at_once=max(10, round(plan.events_per_second * SECONDS_BETWEEN_CLICKS)),
        )
        self._sent: deque[Outgoing] = deque(maxlen=REPEATABLE)
        self._held: list[tuple[float, int, Outgoing]] = []
        self._numbers = count()

    def change(self, offset: float) -> Iterator[Action]:
        """The change of one slot; what cannot be done becomes an order."""
        at = self._at(offset)
        kind = self.shop.draw_kind()
        change = None if kind is ChangeKind.PLACE_ORDER else self.shop.change(kind, at)
        yield Action(offset, change or self._order(at))

    def _order(self, at: datetime) -> Change:
        cart = self._visits.waiting_cart() or self.shop.random_cart()
        order, change = self.shop.place(cart, at)
        self._visits.placed(order, cart)
        return change

    def record(self, offset: float) -> Iterator[Action]:
        """The record of one slot, behind those that were held back until now."""
        yield from self._held_back(offset, until=offset)
        record = self._record(self._draw_class(), self._at(offset))
        if record.event_class == EventClass.OUT_OF_ORDER:
            due = offset + self._rng.uniform(*HELD_BACK_SECONDS)
            heapq.heappush(self._held, (due, next(self._numbers), record))
        else:
            yield self._sending(offset, record)

    def everything_held_back(self, offset: float) -> Iterator[Action]:
        """What is still held back at the end."""
        return self._held_back(offset, until=inf)

    def _held_back(self, offset: float, until: float) -> Iterator[Action]:
        """Records whose time has come, after others that happened later."""
        while self._held and self._held[0][0] <= until:
            yield self._sending(offset, heapq.heappop(self._held)[2])

    def _sending(self, offset: float, record: Outgoing) -> Action:
        if record.event_class in (EventClass.VALID, EventClass.OUT_OF_ORDER):
            self._sent.append(record)
        return Action(offset, record)

    def _draw_class(self) -> str:
        shares = self._plan.shares
        drawn = self._rng.random()
        for name, share in (
            (INVALID, shares.invalid),
            (EventClass.DUPLICATE, shares.duplicate if self._sent else 0.0),
            (EventClass.LATE, shares.late),
            (EventClass.FUTURE, shares.future),
            (EventClass.OUT_OF_ORDER, shares.out_of_order),
        ):
            if drawn < share:
                return name
            drawn -= share
        return EventClass.VALID

    def _record(self, event_class: str, at: datetime) -> Outgoing:
        match event_class:
            case EventClass.DUPLICATE:
                copied = self._rng.choice(self._sent)
                return Outgoing(EventClass.DUPLICATE, copied.event_id, copied.key, copied.value)
            case EventClass.LATE:
                return Outgoing.of(self._visits.stray_event(at - self._span(LATE_BY)), EventClass.LATE)
            case EventClass.FUTURE:
                return Outgoing.of(self._visits.stray_event(at + self._span(FUTURE_BY)), EventClass.FUTURE)
            case EventClass.VALID | EventClass.OUT_OF_ORDER:
                return Outgoing.of(self._visits.next_event(at), event_class)
            case _:
                event = self._visits.stray_event(at)
                fault, value = spoiled(self._rng, event)
                return Outgoing(f"{INVALID}{fault.name}", event.event_id, event.key, value)

    def _span(self, bounds: tuple[timedelta, timedelta]) -> timedelta:
        shortest, longest = bounds
        return shortest + (longest - shortest) * self._rng.random()

    def _at(self, offset: float) -> datetime:
        return self._plan.start + timedelta(seconds=offset)
