"""What the speed layer makes of the clickstream: enriched and late events, sessions, funnels.

Money of clicks says what visitors saw and did; what the shop earned is in the tables.
"""

from dataclasses import replace

from concord.contracts.events import EVENTS
from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.personal import Personal
from concord.contracts.tables import MONEY
from concord.contracts.types import BIGINT, BOOLEAN, INSTANT, INTEGER, TEXT, UUID, Category, Decimal

TIERS = ("bronze", "silver", "gold", "platinum")
"""From the least to the best customers."""
GUEST = "guest"
"""Stands for the tier of a session that has none, wherever sessions are counted by tier."""

LATENESS_SECONDS = 30 * 60
"""An event is late if Kafka received it more than this long after it happened.

The bound compares two times of the record itself, so whoever reads the record, whenever and in whatever
order, comes to the same verdict: the stream, a second run of a batch, and the batch layer.
"""

TIER = Column("customer_tier", Category(TIERS), nullable=True, description="Tier of the user; null for a guest.")
ENRICHMENT = (
    replace(TIER, description="Tier of the event's user as its micro-batch knew it; null for a guest."),
    Column("product_category", Category(), nullable=True, description="As sent, else the catalogue's."),
    Column("product_price", MONEY, nullable=True, description="As sent, else the catalogue's."),
)

ENRICHED_EVENTS = replace(EVENTS, columns=(*EVENTS.columns, *ENRICHMENT))
"""``events`` as the speed layer holds it."""

LATE_EVENTS = replace(
    ENRICHED_EVENTS,
    name="events_late",
    description="Every valid event that came later than the lateness bound, one row per event.",
)

COUNTED = (
    "page_views",
    "product_views",
    "searches",
    "cart_adds",
    "cart_removes",
    "checkouts",
    "purchases",
    "logins",
    "logouts",
)
"""Events of a session by type, in the order of the event types' own list (see ``rules.sessions``)."""

AMOUNT = Decimal(38, 2)

SESSIONS = Dataset(
    name="sessions",
    description="One row per session and version; the highest version of a session is what is known of it.",
    key=("session_id",),
    event_time="started_at",
    partition="started_at",
    cluster=("started_at", "session_id"),
    columns=(
        Column("session_id", UUID, description="Derived from the owner and the first event."),
        Column(
            "owner",
            TEXT,
            personal=Personal.DEVICE,
            description="The device; for events without one, the user as `user:<id>`.",
        ),
        Column("user_id", BIGINT, nullable=True, description="Whom LOGIN names, else the first user an event names."),
        TIER,
        Column("started_at", INSTANT, description="First event."),
        Column("ended_at", INSTANT, description="Last event so far."),
        Column("first_event_id", UUID, description="The event it begins with."),
        Column("last_event_id", UUID, description="The last event so far."),
        Column("is_logged_out", BOOLEAN, description="The last event is a LOGOUT: no event can follow in it."),
        Column("has_login", BOOLEAN, description="A LOGIN names the user."),
        Column("events", INTEGER, description="How many events it has."),
        *(Column(name, INTEGER, description=f"Of them, {name.replace('_', ' ')}.") for name in COUNTED),
        Column("searches_without_result", INTEGER, description="Of its searches, those that found nothing."),
        Column("funnel_step", INTEGER, description="0 to 4: how far PRODUCT_VIEW → … → PURCHASE was done in order."),
        Column("viewed_at", INSTANT, nullable=True, description="When funnel step 1 was reached."),
        Column("carted_at", INSTANT, nullable=True, description="When funnel step 2 was reached."),
        Column("checkout_at", INSTANT, nullable=True, description="When funnel step 3 was reached."),
        Column("purchased_at", INSTANT, nullable=True, description="When funnel step 4 was reached."),
        Column("cart_value", AMOUNT, description="Quantity × price put into the cart less what was taken out."),
        Column("purchase_value", AMOUNT, description="What the session's PURCHASE events say; no revenue."),
        Column("traffic_source", Category(), description="Where the first event came from."),
        Column("device_type", Category(), nullable=True, description="Of the first event."),
        Column("category_steps", TEXT, description="As JSON: {product category: funnel step reached with it}."),
        Column("is_withdrawn", BOOLEAN, description="Another session took its events over."),
        Column("version", BIGINT, description="Micro-batch that wrote the row."),
        Column("written_at", INSTANT),
    ),
)

SESSION_CATEGORIES = Dataset(
    name="session_categories",
    description="How far a session went with one product category, one row per version.",
    key=("session_id", "product_category"),
    partition="started_at",
    cluster=("started_at", "session_id", "product_category"),
    columns=(
        Column("session_id", UUID),
        Column("started_at", INSTANT, description="Of the session."),
        Column("product_category", Category()),
        Column(
            "funnel_step",
            INTEGER,
            description="1 to 4: viewed it, put it into the cart, CHECKOUT_START, PURCHASE; no row where it was not viewed.",
        ),
        Column("is_withdrawn", BOOLEAN),
        Column("version", BIGINT),
    ),
)

DONE = {
    "events": "events",
    "page_views": "page_views",
    "product_views": "product_views",
    "searches": "searches",
    "searches_without_result": "searches_without_result",
    "cart_adds": "cart_adds",
    "cart_removes": "cart_removes",
    "checkout_starts": "checkouts",
    "purchases": "purchases",
}
"""Columns of ``funnel_minutes`` that count events, and the column of ``sessions`` that each of them sums."""

FUNNEL_MINUTES = Dataset(
    name="funnel_minutes",
    description="Sessions by the minute they started, their tier and source: how far they went, what they did; "
    "sum the rows.",
    key=("minute", "customer_tier", "traffic_source"),
    partition="minute",
    columns=(
        Column("minute", INSTANT),
        Column("customer_tier", Category(), description="Tier, or `guest`."),
        Column("traffic_source", Category()),
        Column("sessions", BIGINT),
        Column("viewed", BIGINT, description="Sessions that reached funnel step 1."),
        Column("carted", BIGINT, description="Sessions that reached funnel step 2."),
        Column("checkouts", BIGINT, description="Sessions that reached funnel step 3."),
        Column("purchased", BIGINT, description="Sessions that reached funnel step 4."),
        *(Column(name, BIGINT, description=f"Events: the sessions' {counted}.") for name, counted in DONE.items()),
        Column("cart_value", AMOUNT),
        Column("abandoned_value", AMOUNT, description="Of the cart value, that of sessions at step 2 or 3."),
        Column("purchase_value", AMOUNT),
    ),
)

FUNNEL_CATEGORY_MINUTES = Dataset(
    name="funnel_category_minutes",
    description="Sessions by the minute they started and how far they went with a product category; sum the rows.",
    key=("minute", "product_category"),
    partition="minute",
    columns=(
        Column("minute", INSTANT),
        Column("product_category", Category()),
        Column("viewed", BIGINT),
        Column("carted", BIGINT),
        Column("checkouts", BIGINT),
        Column("purchased", BIGINT),
    ),
)

BEHAVIOUR = by_name(LATE_EVENTS, SESSIONS, FUNNEL_MINUTES, FUNNEL_CATEGORY_MINUTES)
