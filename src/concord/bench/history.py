"""A week of a large shop, made inside ClickHouse: rows enough that a dashboard would notice a scan.

Cardinalities are those of a shop: eight events to a session, 200,000 customers, 5,000 articles of which few are
looked at most, 2,000 different searches, half the visitors unknown. Nothing is read from outside, and the same
number of rows is the same rows but for the time they end.
"""

from collections.abc import Callable

from concord.bench.recount import funnel_of
from concord.contracts.behaviour import FUNNEL_MINUTES
from concord.gateways.clickhouse import ClickHouse

EVENTS_PER_SESSION = 8
DAYS = 7
ENDS_HOURS_AGO = 2
"""Before what an event that comes now could still change."""
EVENTS_AT_ONCE, SESSIONS_AT_ONCE = 2_000_000, 500_000
ORDERS_PER_SESSION = 0.05
CUSTOMERS, ARTICLES, CATEGORIES, SEARCHES = 200_000, 5_000, 40, 2_000

NUMBERED = """
with {sessions} as sessions, toDateTime64({end}, 3, 'UTC') - interval {days} day as beginning,
    {days} * 86400000 / sessions as apart_ms
"""
EVENTS = """
insert into events (event_id, event_type, schema_version, user_id, anonymous_id, occurred_at, received_at, device_type,
    user_agent, page_url, referrer, properties, product_id, category, price, search_query, results_count, quantity,
    cart_value, order_id, total_amount, _topic, _partition, _offset, _timestamp, customer_tier, product_category,
    product_price)
{numbered}, intDiv(number, {per_session}) as session, number % {per_session} as step,
    cityHash64(number) as chance, cityHash64(session, 1) as of_session,
    multiIf(step = 0, 'PAGE_VIEW', step = 1 and chance % 2 = 0, 'SEARCH', step = 4 and of_session % 10 < 4, 'ADD_TO_CART',
        step = 6 and of_session % 10 < 2, 'CHECKOUT_START', step = 7 and of_session % 10 < 1, 'PURCHASE',
        step = 3 and of_session % 2 = 0, 'LOGIN', 'PRODUCT_VIEW') as kind,
    if(of_session % 2 = 0 and step >= 3 or kind = 'LOGIN', 1 + of_session % {customers}, null) as customer,
    kind in ('PRODUCT_VIEW', 'ADD_TO_CART') as is_article,
    toInt64(1 + floor(pow({articles}, (chance % 10000) / 10000))) as article,
    beginning + toIntervalMillisecond(toInt64(session * apart_ms) + step * 20000) as at
select reinterpretAsUUID(sipHash128(number, 'event')), kind, 1, customer, concat('history-', toString(session)), at, at,
    ['desktop', 'mobile', 'tablet'][1 + of_session % 3], 'Mozilla/5.0', concat('https://shop.example.com/', toString(article)),
    if(of_session % 4 = 0, null, 'https://search.example.com/'), '{{"simulated":true}}',
    if(is_article, article, null), if(is_article, concat('category ', toString(article % {categories})), null),
    if(is_article, toDecimal64(1 + article % 100, 2), null),
    if(kind = 'SEARCH', concat('word ', toString(toInt64(pow({searches}, (chance % 9973) / 9973)))), null),
    if(kind = 'SEARCH', toInt32(chance % 50), null), if(kind = 'ADD_TO_CART', toInt32(1 + chance % 5), null),
    if(kind = 'CHECKOUT_START', toDecimal64(chance % 500, 2), null), if(kind = 'PURCHASE', toInt64(session), null),
    if(kind = 'PURCHASE', toDecimal64(chance % 500, 2), null), 'history', 0, toInt64(number), at,
    if(isNull(customer), null, ['bronze', 'silver', 'gold', 'platinum'][1 + of_session % 4]),
    if(is_article, concat('category ', toString(article % {categories})), null),
    if(is_article, toDecimal64(1 + article % 100, 2), null)
from numbers({first}, {count})
settings max_insert_threads = 1
"""
SESSIONS = """
insert into sessions (session_id, owner, user_id, customer_tier, started_at, ended_at, first_event_id, last_event_id,
    is_logged_out, has_login, events, page_views, product_views, searches, cart_adds, cart_removes, checkouts, purchases,
    logins, logouts, searches_without_result, funnel_step, viewed_at, carted_at, checkout_at, purchased_at, cart_value,
    purchase_value, traffic_source, device_type, category_steps, is_withdrawn, version, written_at)
{numbered}, cityHash64(number, 1) as of_session, of_session % 2 = 0 as has_login,
    beginning + toIntervalMillisecond(toInt64(number * apart_ms)) as started,
    multiIf(of_session % 10 < 1, 4, of_session % 10 < 2, 3, of_session % 10 < 4, 2, 1) as step
select reinterpretAsUUID(sipHash128(number, 'session')), concat('history-', toString(number)), if(has_login, 1 + of_session % {customers}, null),
    if(has_login, ['bronze', 'silver', 'gold', 'platinum'][1 + of_session % 4], null), started,
    started + interval 140 second, reinterpretAsUUID(sipHash128({per_session} * number, 'event')),
    reinterpretAsUUID(sipHash128({per_session} * (number + 1) - 1, 'event')), false, has_login,
    {per_session}, 1, 4, 1, if(step >= 2, 1, 0), 0, if(step >= 3, 1, 0), if(step >= 4, 1, 0), if(has_login, 1, 0), 0, 0,
    step, started, if(step >= 2, started, null), if(step >= 3, started, null), if(step >= 4, started, null),
    if(step >= 2, 30, 0), if(step >= 4, 30, 0), ['direct', 'search', 'news', 'social'][1 + of_session % 4],
    ['desktop', 'mobile', 'tablet'][1 + of_session % 3], '{{}}', false, -1, started
from numbers({first}, {count})
"""
FUNNEL = f"""
insert into funnel_minutes ({", ".join(FUNNEL_MINUTES.names)})
{funnel_of("sessions where version = -1")}
"""
CATEGORIES_OF_FUNNEL = """
insert into funnel_category_minutes
select toStartOfMinute(started_at) as minute, concat('category ', toString(cityHash64(session_id) % {categories})) as name,
    countIf(funnel_step >= 1), countIf(funnel_step >= 2), countIf(funnel_step >= 3), countIf(funnel_step >= 4)
from sessions where version = -1 group by minute, name
"""
ORDERS = """
insert into orders_current (id, user_id, status, total_amount, created_at, is_deleted, _offset)
{numbered}
select 1000000000 + number, 1 + cityHash64(number) % {customers}, ['pending', 'delivered', 'cancelled'][1 + number % 3],
    toDecimal64(cityHash64(number, 2) % 50000, 2) / 100,
    beginning + toIntervalMillisecond(toInt64(number * {days} * 86400000 / {orders})), false, number
from numbers({orders})
"""

Say = Callable[[str], None]


def fill(store: ClickHouse, events: int, end: int, say: Say) -> dict[str, int]:
    """A history of so many events that ends at ``end`` (epoch seconds) less two hours; rows by table."""
    sessions = max(1, events // EVENTS_PER_SESSION)
    orders = max(1, round(sessions * ORDERS_PER_SESSION))
    given = _given(sessions, orders, end - ENDS_HOURS_AGO * 3600)
    for first in range(0, events, EVENTS_AT_ONCE):
        store.command(EVENTS.format(**given, first=first, count=min(EVENTS_AT_ONCE, events - first)))
        say(f"history: {min(events, first + EVENTS_AT_ONCE):,} of {events:,} events")
    for first in range(0, sessions, SESSIONS_AT_ONCE):
        store.command(SESSIONS.format(**given, first=first, count=min(SESSIONS_AT_ONCE, sessions - first)))
    for statement in (FUNNEL, CATEGORIES_OF_FUNNEL, ORDERS):
        store.command(statement.format(**given))
    return rows(store)


def _given(sessions: int, orders: int, end: int) -> dict[str, object]:
    numbered = NUMBERED.format(sessions=sessions, end=end, days=DAYS)
    return {
        "numbered": numbered,
        "per_session": EVENTS_PER_SESSION,
        "customers": CUSTOMERS,
        "articles": ARTICLES,
        "categories": CATEGORIES,
        "searches": SEARCHES,
        "orders": orders,
        "days": DAYS,
    }


def rows(store: ClickHouse) -> dict[str, int]:
    """Rows of every table that questions are asked of."""
    found = store.query(
        "select table, sum(rows) from system.parts where active and database = currentDatabase() group by table"
    )
    return {table: int(count) for table, count in found}
