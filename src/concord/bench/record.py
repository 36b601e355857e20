"""Visits of the synthetic shop, recorded once so that they can be replayed at any rate."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from heapq import heappop, heappush
from random import Random
from typing import Any

import pyarrow as pa

from concord.bench.content import HEAD_DIGITS, added, cents, content
from concord.bench.publication import OPENED_AT, Publication, opened
from concord.bench.recorded import FORMAT, NOWHERE, SCHEMA, SEED, Fate
from concord.ingest.clickstream import Event
from concord.ingest.faults import FAULTS, POISON, Fault, spoiled
from concord.ingest.shop import Shop
from concord.ingest.visits import Visits

RECORDED_AT = OPENED_AT
"""In every time of the file; the real ones are written when a record is sent."""
NO_HEAD = "0" * HEAD_DIGITS
HOT_USER = 1_000_001
"""None of the shop's."""
ORDER_EVERY = 12
"""Events per order, about what the visits that buy come to."""
REPEATABLE = 5_000
LATE_HOURS = (25, 72)
HOUR_MS = 3_600_000
SHARE_OF_BARE = 0.2
"""Of events about an article so many name it alone: category and price are the catalogue's."""


@dataclass(frozen=True)
class Shares:
    """Parts of all records that are not simply in time and valid."""

    invalid: float = 0.01
    duplicate: float = 0.02
    late: float = 0.005
    out_of_order: float = 0.025
    hot: float = 0.0
    """By one user, who is the same in every round: a hot key."""


@dataclass(frozen=True)
class Recording:
    """What is recorded. ``visitors`` are there at once; an event out of order is held back for up to ``held`` others."""

    events: int = 200_000
    seed: int = 1
    visitors: int = 20_000
    held: int = 100_000
    is_poison: bool = False
    """What is invalid is what has stopped a parser before."""
    shares: Shares = field(default_factory=Shares)

    def notes(self) -> dict[str, Any]:
        return asdict(self)

    def file_name(self, kind: str = "events") -> str:
        """Under which it is kept."""
        return f"{kind}-{self.events}-{self.seed}-v{FORMAT}.arrow"


@dataclass(frozen=True)
class Made:
    """One record. ``happened`` and ``original`` are places in the order of sending, if they are not its own: at
    whose time it happened, of which it is a copy."""

    event: Event
    value: bytes | None
    fate: Fate
    reason: str | None = None
    late_ms: int = 0
    happened: int | None = None
    original: int | None = None


def record(recording: Recording) -> pa.Table:
    """The rows of a file of recorded visits; the same for the same arguments."""
    shop, published = opened(recording.seed)
    rows = [_row(place, made, published) for place, made in enumerate(_sent(recording, shop))]
    return pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata({SEED: str(recording.seed)}))


def _sent(recording: Recording, shop: Shop) -> Iterator[Made]:
    """In the order of sending: some are held back, some sent again."""
    rng = Random(f"{recording.seed} order")
    happening = _happening(recording, shop)
    repeatable: deque[tuple[int, Made]] = deque(maxlen=REPEATABLE)
    held: list[tuple[int, str, Made]] = []
    for place in range(recording.events):
        if repeatable and rng.random() < recording.shares.duplicate:
            original, first = rng.choice(repeatable)
            yield Made(first.event, first.value, Fate.DUPLICATE, original=original)
            continue
        made = _next(happening, held, place, rng, recording)
        if made.fate is Fate.STORED:
            repeatable.append((place, made))
        yield made


def _next(
    happening: Iterator[Made], held: list[tuple[int, str, Made]], place: int, rng: Random, recording: Recording
) -> Made:
    """What is sent at this place: whatever was held back until now, else the next that happens and is not held."""
    while True:
        if held and held[0][0] <= place:
            return heappop(held)[2]
        made = next(happening)
        if rng.random() >= recording.shares.out_of_order or made.fate is not Fate.STORED:
            return made
        until = place + rng.randint(1, max(1, min(recording.held, recording.events - place - 1)))
        heappush(held, (until, made.event.event_id, replace(made, happened=place)))


def _happening(recording: Recording, shop: Shop) -> Iterator[Made]:
    """What visitors do, for ever, with what goes wrong in between."""
    shares = recording.shares
    rng = Random(f"{recording.seed} fates")
    identities = Random(f"{recording.seed} identities")
    name = f"{NO_HEAD}-{recording.seed}"
    visits = Visits(Random(f"{recording.seed} visits"), identities, shop, name, recording.visitors)
    number = 0
    while True:
        number += 1
        if number % ORDER_EVERY == 0 and (cart := visits.waiting_cart()):
            visits.placed(shop.place(cart, RECORDED_AT)[0], cart)
        drawn = rng.random()
        if drawn < shares.invalid:
            yield _broken(rng, visits, POISON if recording.is_poison else FAULTS)
        elif drawn < shares.invalid + shares.late:
            late_ms = rng.randint(LATE_HOURS[0] * HOUR_MS, LATE_HOURS[1] * HOUR_MS)
            event = visits.stray_event(RECORDED_AT)
            yield Made(event, event.encoded(), Fate.LATE, late_ms=late_ms)
        elif drawn < shares.invalid + shares.late + shares.hot:
            yield _in_time(rng, visits.event_of(HOT_USER, RECORDED_AT))
        else:
            yield _in_time(rng, visits.next_event(RECORDED_AT))


def _in_time(rng: Random, event: Event) -> Made:
    """Some events about an article are bare."""
    if "product_id" in event.document and rng.random() < SHARE_OF_BARE:
        bare = {name: value for name, value in event.document.items() if name not in ("category", "price")}
        event = replace(event, document=bare)
    return Made(event, event.encoded(), Fate.STORED)


def _broken(rng: Random, visits: Visits, faults: Sequence[Fault]) -> Made:
    event = visits.stray_event(RECORDED_AT)
    fault, value = spoiled(rng, event, faults)
    return Made(event, value, Fate.DEAD, reason=str(fault.reason))


def _row(place: int, made: Made, published: Publication) -> dict[str, Any]:
    document, value = made.event.document, made.value or b""
    is_dead = made.fate is Fate.DEAD
    return {
        "key": made.event.key.encode(),
        "value": made.value,
        "fate": int(made.fate),
        "event_type": str(document["event_type"]),
        "reason": made.reason,
        "original": place if made.original is None else made.original,
        "happened": place if made.happened is None else made.happened,
        "late_ms": made.late_ms,
        "content": 0 if is_dead else content(document),
        "cents": 0 if is_dead else cents(document),
        "added": 0 if is_dead else added(published.added(document)),
        "id_at": value.find(made.event.event_id.encode()),
        "head_at": _place(value, b'"anonymous_id":"', NO_HEAD.encode()),
        "occurred_at": _place(value, b'"occurred_at":"', str(document["occurred_at"]).encode()),
        "received_at": _place(value, b'"received_at":"', str(document["received_at"]).encode()),
    }


def _place(value: bytes, before: bytes, text: bytes) -> int:
    """Where ``text`` begins that follows ``before``."""
    found = value.find(before + text)
    return found + len(before) if found >= 0 else NOWHERE
