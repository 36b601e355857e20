"""Sessions at rest in ClickHouse are the oracle's, however micro-batches are cut, repeated and broken off."""

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from concord.chaos.oracle import funnel_category_minutes, funnel_minutes, oracle
from concord.contracts.behaviour import ENRICHED_EVENTS
from concord.contracts.derived import SPEED_POSITION
from concord.contracts.events import EventType
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.rules.sessions import owner_of
from concord.settings import Settings
from concord.speed.batch_token import BatchToken
from concord.speed.sessions import keep
from concord.speed.sessions.keep import StoreSessions
from concord.speed.sessions.rows import EVENT_SCHEMA, SESSION_SCHEMA
from tests.factories import row
from tests.speed_database import speed_database

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

QUERY = "speed.events"
PAUSES = (0, 1, 1_000, 60_000, 1_799_999, 1_800_000, 1_800_001)
INSERTS = 3
"""Into funnel_minutes, funnel_category_minutes and sessions, in this order."""

Event = dict[str, Any]
Row = Any
"""A session or an event, as a mapping or a tuple."""


class Crash(Exception):
    """The worker is gone."""


@dataclass
class Dying:
    """The store of a worker that dies before or after its n-th insert."""

    store: ClickHouse
    inserts_left: int
    is_stored: bool

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> int:
        if self.inserts_left == 0 and not self.is_stored:
            raise Crash
        stored = self.store.insert_arrow(table, rows, token)
        if self.inserts_left == 0:
            raise Crash
        self.inserts_left -= 1
        return stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass
class Worker:
    """Takes in micro-batches; its memory may be lost at any moment."""

    store: ClickHouse
    checkpoint: str = field(default_factory=lambda: uuid.uuid4().hex)
    batches: int = 0

    def take(
        self, events: Sequence[Event], bound: datetime, dies_at: Dying | None = None, runs_again: bool = False
    ) -> None:
        token = BatchToken(QUERY, self.checkpoint, self.batches)
        rows = pa.Table.from_pylist(list(events), schema=arrow_schema(ENRICHED_EVENTS))
        self.store.insert_arrow("events", rows, token.of("events", {}))
        if dies_at:
            try:
                StoreSessions(dies_at, token)(rows, bound, {}, bound)  # type: ignore[arg-type]
            except Crash:
                self.forget()
        StoreSessions(self.store, token)(rows, bound, {}, bound)
        self._store_position(token, bound)
        if runs_again:
            self.forget()
            StoreSessions(self.store, token)(rows, bound, {}, bound)
        StoreSessions(self.store, token)(rows, bound, {}, bound)
        self.batches += 1

    def forget(self) -> None:
        keep._REMEMBERED.clear()

    def _store_position(self, token: BatchToken, bound: datetime) -> None:
        counts = dict.fromkeys(("records_in", "stored", "dead", "duplicate", "late"), 0)
        named = {"query": QUERY, "batch_id": self.batches, "bound": bound, **counts}
        rows = pa.Table.from_pylist([row(SPEED_POSITION, **named)], schema=arrow_schema(SPEED_POSITION))
        self.store.insert_arrow(SPEED_POSITION.name, rows, token.of(SPEED_POSITION.name, {}))


@pytest.fixture
def worker(settings: Settings) -> Iterator[Worker]:
    with speed_database(settings) as store:
        yield Worker(store)
        keep._REMEMBERED.clear()


def history(rng: random.Random, events: int) -> list[Event]:
    """Of a few devices and one server, in the last hours, in order of time."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
    clocks = [begin] * 6
    made = []
    for number in rng.sample(range(1, 10 * events), events):
        device = rng.randrange(6)
        clocks[device] += timedelta(milliseconds=rng.choice(PAUSES))
        made.append(_event(rng, number, device, clocks[device]))
    return sorted(made, key=lambda event: event["occurred_at"])


def _event(rng: random.Random, number: int, device: int, at: datetime) -> Event:
    kind = rng.choice(list(EventType))
    is_server = device == 5
    user = 7 if is_server else rng.choice([1, 2] if kind in (EventType.LOGIN, EventType.LOGOUT) else [None, 1])
    return row(
        ENRICHED_EVENTS,
        **{
            "event_id": str(uuid.UUID(int=number)),
            "event_type": str(kind),
            "anonymous_id": None if is_server else f"device {device}",
            "user_id": user,
            "customer_tier": "gold" if user else None,
            "occurred_at": at,
            "product_id": number % 5,
            "search_query": f"word {number % 4}",
            "product_category": rng.choice(["toys", 'gifts "ü"', None]),
            "product_price": rng.choice([None, Decimal("9.99")]),
            "quantity": rng.choice([1, 3]),
            "total_amount": Decimal("20.05"),
            "results_count": rng.randrange(2),
            "_timestamp": at,
            "_topic": "t",
            "_offset": number,
        },
    )


def arrivals(rng: random.Random, events: Sequence[Event]) -> list[Sequence[Event]]:
    """Micro-batches of the events, each delayed by up to half an hour."""
    delayed = sorted(events, key=lambda event: event["occurred_at"] + timedelta(minutes=rng.choice([0, 0, 5, 29])))
    cuts = sorted(rng.sample(range(1, len(delayed)), 12))
    return [delayed[start:end] for start, end in zip([0, *cuts], [*cuts, len(delayed)], strict=True)]


def as_seen(event: Event) -> Mapping[str, Any]:
    """As the oracle reads it."""
    at = round(event["occurred_at"].timestamp() * 1000)
    seen = {name: event.get(name) for name in EVENT_SCHEMA}
    return {**seen, "owner": owner_of(event["anonymous_id"], event["user_id"]), "occurred_at": at}


def sessions_at_rest(store: ClickHouse) -> dict[str, dict[str, Any]]:
    columns = [name for name in SESSION_SCHEMA if name not in ("version", "is_withdrawn")]
    rows = store.query_dicts(f"select {', '.join(columns)} from sessions_current")
    return {str(each["session_id"]): {name: _plain(each[name]) for name in columns} for each in rows}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value


def assert_as_told(store: ClickHouse, events: Sequence[Event]) -> None:
    told = oracle(map(as_seen, events))
    columns = [name for name in SESSION_SCHEMA if name not in ("version", "is_withdrawn")]
    assert sessions_at_rest(store) == {id: {name: each[name] for name in columns} for id, each in told.items()}
    minutes = {tuple(each[:3]): tuple(each[3:]) for each in store.query("select * from funnel_by_minute")}
    assert minutes == funnel_minutes(told.values())
    by_category = {tuple(each[:2]): tuple(each[2:]) for each in store.query("select * from funnel_category_by_minute")}
    assert by_category == {key: steps for key, steps in funnel_category_minutes(told.values()).items() if any(steps)}


PERIODS: Mapping[str, Callable[[datetime], date]] = {
    "minute": lambda at: at.replace(second=0, microsecond=0),
    "hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "day": lambda at: at.replace(hour=0, minute=0, second=0, microsecond=0),
    "week": lambda at: at.date() - timedelta(days=at.weekday()),
}
SEGMENTS: Mapping[str, Callable[[Row], str]] = {
    "all": lambda session: "all",
    "tier": lambda session: session["customer_tier"] or "guest",
    "source": lambda session: session["traffic_source"],
}
DONE = {name: name for name in ("events", "page_views", "product_views", "searches", "searches_without_result")}
DONE |= {"cart_adds": "cart_adds", "cart_removes": "cart_removes", "checkout_starts": "checkouts"}
DONE |= {"purchases": "purchases", "cart_value": "cart_value", "purchase_value": "purchase_value"}


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for each in rows:
        found.setdefault(key(each), []).append(each)
    return found


def funnel_counts(steps: Sequence[int]) -> list[int]:
    return [sum(step >= reached for step in steps) for reached in range(5)]


def rates(counts: Sequence[int]) -> list[float | None]:
    """Of each count in the one before it, and of the last in the first."""
    pairs = [*pairwise(counts), (counts[0], counts[-1])]
    return [part / whole if whole else None for whole, part in pairs]


def assert_funnels_are_a_recount(store: ClickHouse, sessions: Sequence[Row], grain: str, since: datetime) -> None:
    def period(row: Row) -> date:
        return PERIODS[grain](row["started_at"])

    asked = {"grain": grain, "since": since}
    over_time = "(grain = {grain:String}, since = {since:DateTime})"
    by_segment = "(grain = {grain:String}, by = {by:String}, since = {since:DateTime})"
    for by, segment in SEGMENTS.items():
        told = grouped(sessions, lambda each, segment=segment: (period(each), segment(each)))  # type: ignore[misc]
        funnels = {key: funnel_counts([each["funnel_step"] for each in rows]) for key, rows in told.items()}
        assert rows_of(store, f"select * from funnel_rates{by_segment}", {**asked, "by": by}) == {
            (*key, *counts, *rates(counts)) for key, counts in funnels.items()
        }
        carts = {key: [row for row in rows if row["funnel_step"] >= 2] for key, rows in told.items()}
        left = {key: [row for row in rows if row["funnel_step"] < 4] for key, rows in carts.items()}
        assert rows_of(store, f"select * from cart_abandonment{by_segment}", {**asked, "by": by}) == {
            (*key, len(rows), len(left[key]), len(left[key]) / len(rows), total(told[key]), total(left[key]))
            for key, rows in carts.items()
            if rows
        }
    of_tiers = grouped(sessions, lambda each: (period(each), SEGMENTS["tier"](each)))
    names = ", ".join(["period", "customer_tier", "sessions", *DONE])
    assert rows_of(store, f"select {names} from tier_behaviour{over_time}", asked) == {
        (*key, len(rows), *(sum(row[column] for row in rows) for column in DONE.values()))
        for key, rows in of_tiers.items()
    }
    reached = [(period(each), *step) for each in sessions for step in json.loads(each["category_steps"]).items()]
    of_categories = grouped(reached, lambda each: each[:2])
    counted = {key: funnel_counts([step for _, _, step in rows])[1:] for key, rows in of_categories.items()}
    assert rows_of(store, f"select * from category_funnel_rates{over_time}", asked) == {
        (*key, *counts, *rates(counts)) for key, counts in counted.items()
    }


def assert_behaviour_is_a_recount(store: ClickHouse, events: Sequence[Event], grain: str, since: datetime) -> None:
    asked = {"grain": grain, "since": since}
    kinds = Counter((PERIODS[grain](each["occurred_at"]), each["event_type"], each["device_type"]) for each in events)
    activity = "select * from activity(grain = {grain:String}, since = {since:DateTime})"
    assert rows_of(store, activity, asked) == {(*key, count) for key, count in kinds.items()}

    def occurs(rows: Sequence[Event], kind: EventType) -> int:
        return sum(each["event_type"] == kind for each in rows)

    looked_at = grouped(events, lambda each: each["product_id"])
    figures = "product_id, views, cart_adds, cart_removes, product_category != ''"
    products = f"select {figures} from top_products(since = {{since:DateTime}}, top = 3)"
    told = [
        (id, *(occurs(rows, kind) for kind in (EventType.PRODUCT_VIEW, *INTO_AND_OUT_OF_THE_CART)), True)
        for id, rows in looked_at.items()
    ]
    assert store.query(products, asked) == sorted(told, key=lambda each: (-each[1], -each[2], each[0]))[:3]

    searches = grouped([e for e in events if e["event_type"] == EventType.SEARCH], lambda each: each["search_query"])
    missed = {word: sum(each["results_count"] == 0 for each in rows) for word, rows in searches.items()}
    words = "select * from searches_without_result(since = {since:DateTime}, top = 10)"
    assert rows_of(store, words, asked) == {
        (word, missed[word], len(rows), missed[word] / len(rows)) for word, rows in searches.items() if missed[word]
    }
    users = {each["user_id"] for each in events} - {None}
    owners = {owner_of(each["anonymous_id"], each["user_id"]) for each in events}
    active = "select * from active_since(day = {day:Date})"
    assert store.query(active, {"day": since.date()}) == [(len(users), len(owners))]


INTO_AND_OUT_OF_THE_CART = (EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART)


def rows_of(store: ClickHouse, question: str, asked: Mapping[str, Any]) -> set[tuple[Any, ...]]:
    return set(store.query(question, asked))


def total(sessions: Iterable[Row]) -> Decimal:
    return sum((each["cart_value"] for each in sessions), Decimal(0))


@pytest.mark.parametrize("seed", [1, 2])
def test_sessions_and_funnels_are_the_oracles_whatever_dies_on_the_way(worker: Worker, seed: int) -> None:
    rng = random.Random(seed)
    events = history(rng, 240)
    batches = arrivals(rng, events)
    for number, batch in enumerate(batches):
        still_to_come = [event["occurred_at"] for later in batches[number + 1 :] for event in later]
        bound = min(still_to_come, default=batch[-1]["occurred_at"])
        dying = Dying(worker.store, rng.randrange(INSERTS), rng.random() < 0.5) if rng.random() < 0.6 else None
        worker.take(batch, bound, dying, runs_again=rng.random() < 0.5)
        if rng.random() < 0.2:
            worker.forget()

    assert_as_told(worker.store, events)
    since = min(event["occurred_at"] for event in events)
    for grain in PERIODS:
        assert_funnels_are_a_recount(worker.store, [*oracle(map(as_seen, events)).values()], grain, since)
        assert_behaviour_is_a_recount(worker.store, events, grain, since)


def test_a_session_is_seen_growing_and_final_once_the_bound_has_passed_it(worker: Worker) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    visit = {"anonymous_id": "phone", "user_id": None, "event_type": "PAGE_VIEW", "_topic": "t"}
    first, second = (
        row(ENRICHED_EVENTS, n, **visit, occurred_at=begin + timedelta(minutes=n), _timestamp=begin, _offset=n)
        for n in (1, 2)
    )
    seen = "select events, is_closed from sessions_current"
    still_open = "select * from open_sessions(since = now() - interval 6 hour)"

    worker.take([first], begin - timedelta(minutes=30))
    assert worker.store.query(seen) == [(1, False)]
    worker.take([second], begin + timedelta(minutes=32))
    assert worker.store.query(seen) == [(2, False)]
    assert worker.store.query(still_open) == [(0, 1, 0)]
    worker.take([], begin + timedelta(minutes=32, milliseconds=1))
    assert worker.store.query(seen) == [(2, True)]
    assert worker.store.query(still_open) == []


def test_a_batch_run_again_does_not_split_a_session_that_it_made_final(worker: Worker) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    visit = {"anonymous_id": "phone", "user_id": None, "event_type": "PAGE_VIEW", "_topic": "t"}
    first, second = (
        row(ENRICHED_EVENTS, n, **visit, occurred_at=begin + timedelta(minutes=n), _timestamp=begin, _offset=n)
        for n in (1, 2)
    )
    worker.take([first], begin - timedelta(minutes=30))
    worker.take([second], begin + timedelta(hours=2), runs_again=True)

    assert worker.store.query("select events, is_closed from sessions_current") == [(2, True)]
    assert worker.store.query("select sum(sessions) from funnel_by_minute") == [(1,)]
