"""What ClickHouse holds of a run, in the form of what must be there."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from concord.bench.content import HEAD_DIGITS, added_sql, cents_sql, content_sql
from concord.bench.expected import WORD, Total, Totals
from concord.bench.publication import Publication
from concord.bench.ranges import OF_RUN, Since
from concord.bench.recount import COUNTED, MEASURES
from concord.bench.replay import HEAD, OCCURRED, RECEIVED, ROUNDS, RUNS
from concord.contracts.behaviour import FUNNEL_MINUTES, GUEST
from concord.contracts.derived import SPEED_POSITION
from concord.gateways.clickhouse import ClickHouse
from concord.rules.sessions import COUNT_OF

QUERY = "speed.events"
FATES = ("stored", "late", "duplicate", "dead")

LOW = "reinterpretAsUInt64(reverse(substring(UUIDToNum(event_id), 9, 8)))"
TIMES = (
    f"toUInt64(toUnixTimestamp64Milli(occurred_at)) * {OCCURRED}"
    f" + toUInt64(toUnixTimestamp64Milli(assumeNotNull(received_at))) * {RECEIVED}"
    f" + toUInt64OrZero(left(ifNull(anonymous_id, ''), {HEAD_DIGITS})) * {HEAD}"
)
ROWS = f"""
select event_type, count(), sum({cents_sql()}), sum({LOW} * {content_sql()}), sum({LOW} * ({TIMES})),
    sum({LOW} * {added_sql()})
"""
DEAD = f"""
select reason, count(), sum(if(isNull(original), 0, reinterpretAsUInt64(substring(MD5(assumeNotNull(original)), 1, 8))))
from dead_letters where {OF_RUN} group by reason
"""
TALLIED = f"""
select {", ".join(f"sum({fate})" for fate in FATES)} from {SPEED_POSITION.name}
where query = '{QUERY}' and {OF_RUN}
"""
TIERS_HELD = """
select user_id, customer_tier, count() from sessions_current where startsWith(owner, {prefix:String})
group by user_id, customer_tier
"""
FUNNEL_HELD = f"""
select customer_tier, {", ".join(f"sum({name})" for name in MEASURES)} from {FUNNEL_MINUTES.name} group by customer_tier
"""
FUNNEL_OF_SESSIONS = f"""
select ifNull(customer_tier, '{GUEST}') as tier, {COUNTED} from sessions_current group by tier
"""


def totals(store: ClickHouse, since: Since) -> Totals:
    """What the speed layer counted, and what its tables hold."""
    found = Totals()
    tallied = store.query(TALLIED, since.params)[0]
    for fate, count in zip(FATES, tallied, strict=True):
        found.count_fate(fate, int(count))
    for kind, total in [*_rows(store, since, "events"), *_rows(store, since, "events_late"), *_dead(store, since)]:
        found.add(kind, total)
    return found


def _rows(store: ClickHouse, since: Since, table: str) -> Iterator[tuple[str, Total]]:
    for event_type, count, cents, *hashes in store.query(
        f"{ROWS} from {table} where {OF_RUN} group by event_type", since.params
    ):
        yield f"{table}/{event_type}", Total(int(count), int(cents), *(int(each) % WORD for each in hashes))


def _dead(store: ClickHouse, since: Since) -> Iterator[tuple[str, Total]]:
    for reason, count, content in store.query(DEAD, since.params):
        yield f"dead_letters/{reason}", Total(int(count), content=int(content) % WORD)


def session_differences(store: ClickHouse, run: int, published: Publication | None = None) -> list[str]:
    """Where sessions do not count what is stored, have a tier that is not their user's as ``published``, or funnels
    are not what sessions are; in words, empty if all agree."""
    prefix = f"{run % RUNS:0{HEAD_DIGITS - len(str(ROUNDS - 1))}d}"
    counted = ", ".join(f"sum({column})" for column in COUNT_OF.values())
    typed = ", ".join(f"countIf(event_type = '{event_type}')" for event_type in COUNT_OF)
    given = {"prefix": prefix}
    sessions = store.query(
        f"select sum(events), {counted} from sessions_current where startsWith(owner, {{prefix:String}})", given
    )[0]
    events = store.query(
        f"select count(), {typed} from events where startsWith(ifNull(anonymous_id, ''), {{prefix:String}})", given
    )[0]
    names = ("events", *COUNT_OF.values())
    tiers = tier_differences(store.query(TIERS_HELD, given), published) if published else []
    return [*_unequal("sessions", names, sessions, events), *tiers, *_funnel_differences(store)]


def tier_differences(held: Iterable[tuple[Any, ...]], published: Publication) -> list[str]:
    """``held`` are users, tiers and how many sessions have both."""
    wrong = Counter[tuple[str, str]]()
    for user, tier, count in held:
        wrong[str(tier), str(published.tier(user))] += count
    return [f"sessions: {count:,} of tier {a}, {b} expected" for (a, b), count in sorted(wrong.items()) if a != b]


def _funnel_differences(store: ClickHouse) -> list[str]:
    """By tier."""
    sides = [{row[0]: row[1:] for row in store.query(sql)} for sql in (FUNNEL_HELD, FUNNEL_OF_SESSIONS)]
    nothing = (0,) * len(MEASURES)
    return [
        text
        for tier in sorted({*sides[0], *sides[1]})
        for text in _unequal(f"{FUNNEL_MINUTES.name} of {tier}", MEASURES, *(side.get(tier, nothing) for side in sides))
    ]


def _unequal(what: str, names: tuple[str, ...], found: tuple[Any, ...], wanted: tuple[Any, ...]) -> list[str]:
    compared = zip(names, found, wanted, strict=True)
    return [f"{what}: {name} {a:,}, {b:,} expected" for name, a, b in compared if a != b]
