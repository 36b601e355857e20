"""Sessions and funnels at rest against the offline oracle."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from concord.bench.ranges import OF_RUN, Since
from concord.bench.recount import funnel_of
from concord.chaos.oracle import oracle
from concord.contracts.behaviour import FUNNEL_MINUTES, SESSIONS
from concord.gateways.clickhouse import ClickHouse

EVENTS_AT_ONCE = 50_000
SHOWN = 3
OF_VERSION = ("is_withdrawn", "version", "written_at")
COLUMNS = [name for name in SESSIONS.names if name not in OF_VERSION]
OWNERS = f"""
select owner, count() from owner_events
where owner in (
    select assumeNotNull(coalesce(anonymous_id, concat('user:', toString(user_id)))) from events where {OF_RUN}
)
group by owner order by owner
"""
WITHIN = "owner between {first:String} and {last:String}"
HISTORY = f"""
select owner, toUnixTimestamp64Milli(occurred_at) as occurred_at, toString(event_id) as event_id, event_type, user_id,
    customer_tier, product_category, product_price, quantity, total_amount, results_count, page_url, referrer,
    device_type
from (select * from owner_events where {WITHIN})
"""
HELD = f"select {', '.join(COLUMNS)} from sessions_current where {WITHIN}"
SESSIONS_OF_NOBODY = "select count() from sessions_current where owner not in (select owner from owner_events)"

FUNNEL = f"select {', '.join(FUNNEL_MINUTES.names)} from funnel_by_minute"
FUNNEL_RECOUNT = funnel_of("sessions_current")
CATEGORIES = "select minute, product_category, viewed, carted, checkouts, purchased from funnel_category_by_minute"
CATEGORIES_RECOUNT = """
select toStartOfMinute(started_at) as minute, reached.1, countIf(reached.2 >= 1), countIf(reached.2 >= 2),
    countIf(reached.2 >= 3), countIf(reached.2 >= 4)
from sessions_current array join JSONExtractKeysAndValues(category_steps, 'Int32') as reached
group by minute, reached.1
"""
Session = Mapping[str, Any]


def session_differences(store: ClickHouse, since: Since) -> list[str]:
    """Of all owners with an event of the run; empty if every session, and every funnel, is as the oracle tells it."""
    owners = [(str(owner), int(events)) for owner, events in store.query(OWNERS, since.params)]
    wrong = [text for first, last in spans(owners) for text in _differences(store, first, last)]
    if of_nobody := store.query(SESSIONS_OF_NOBODY)[0][0]:
        wrong.append(f"{of_nobody:,} sessions have no event")
    funnels = {
        "funnel_by_minute": (FUNNEL, FUNNEL_RECOUNT),
        "funnel_category_by_minute": (CATEGORIES, CATEGORIES_RECOUNT),
    }
    wrong += [text for name, sides in funnels.items() if (text := _funnel_difference(store, name, *sides))]
    return wrong


def spans(owners: Sequence[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """First and last owner of stretches with about so many events as are told at once."""
    first, events = "", 0
    for place, (owner, count) in enumerate(owners):
        first, events = first or owner, events + count
        if events >= EVENTS_AT_ONCE or place == len(owners) - 1:
            yield first, owner
            first, events = "", 0


def _differences(store: ClickHouse, first: str, last: str) -> list[str]:
    within = {"first": first, "last": last}
    told = oracle(store.query_dicts(HISTORY, within))
    held = {str(row["session_id"]): row for row in store.query_dicts(HELD, within)}
    return compared(held, told)


def compared(held: Mapping[str, Session], told: Mapping[str, Session]) -> list[str]:
    """Sessions by id, those at rest against the oracle's; in words."""
    differ = {id: text for id in {*held, *told} if (text := _difference(held.get(id), told.get(id)))}
    shown = [f"session {id}: {text}" for id, text in sorted(differ.items())[:SHOWN]]
    more = len(differ) - len(shown)
    return [*shown, *([f"{more:,} more sessions differ"] if more else [])]


def _difference(held: Session | None, told: Session | None) -> str:
    if held is None or told is None:
        return "is not there" if held is None else "the oracle knows none"
    wrong = [name for name in COLUMNS if _plain(held[name]) != told[name]]
    return ", ".join(f"{name} {held[name]}, {told[name]} by the oracle" for name in wrong)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _funnel_difference(store: ClickHouse, name: str, at_rest: str, recount: str) -> str:
    """By transitivity the oracle's: its sessions are those at rest."""
    held, counted = (set(store.query(sql)) for sql in (at_rest, recount))
    if held == counted:
        return ""
    return f"{name}: {len(held - counted):,} rows are not the sessions', {len(counted - held):,} are missing"
