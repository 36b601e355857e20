"""What each query has written, and how all of it is taken away."""

from collections.abc import Mapping, Sequence

from concord.contracts.behaviour import FUNNEL_CATEGORY_MINUTES, FUNNEL_MINUTES, LATE_EVENTS, SESSIONS
from concord.contracts.derived import DEAD_LETTERS, IDLE_BOUNDS, SPEED_POSITION
from concord.contracts.enrichment import ENRICHMENT_PINS
from concord.contracts.events import EVENTS
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY
from concord.contracts.tables import TABLES, as_change
from concord.gateways.clickhouse import ClickHouse

OWN: Mapping[str, Sequence[str]] = {
    CHANGES_QUERY: (*(as_change(table).name for table in TABLES.values()), "orders_current"),
    EVENTS_QUERY: (
        EVENTS.name,
        LATE_EVENTS.name,
        SESSIONS.name,
        FUNNEL_MINUTES.name,
        FUNNEL_CATEGORY_MINUTES.name,
        "recent_ids",
        "owner_events",
        "activity_minutes",
        "product_minutes",
        "search_minutes",
        "active_days",
    ),
}
"""Tables that nobody else writes, those that are built while rows are inserted among them."""

BY_QUERY = (SPEED_POSITION.name, ENRICHMENT_PINS.name, IDLE_BOUNDS.name)
"""Tables of both queries, with the query's name in every row."""

KEPT = (DEAD_LETTERS.name, "dead_letter_replays", "enrichments", "user_tiers", "catalogue")
"""What somebody else writes, or what the lake could not give back."""


def wipe(store: ClickHouse, query: str, topics: Sequence[str]) -> None:
    """Nothing of the query is at rest afterwards, dead letters of its topics neither: the lake has their records."""
    for table in OWN[query]:
        store.command(f"truncate table {table}")
    for table in BY_QUERY:
        store.command(f"delete from {table} where query = {{query:String}}", {"query": query})
    for topic in topics:
        store.command(f"delete from {DEAD_LETTERS.name} where _topic = {{topic:String}}", {"topic": topic})


def keep_expired(store: ClickHouse, query: str) -> None:
    """Rows that are older than their table keeps are needed until all that follows from them is stored."""
    for table in OWN[query]:
        store.command(f"system stop ttl merges {store.database}.{table}")


def let_expire(store: ClickHouse, query: str) -> None:
    """The tables forget again what is too old."""
    for table in OWN[query]:
        store.command(f"system start ttl merges {store.database}.{table}")
