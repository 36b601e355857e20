"""The nine event types of the clickstream: one envelope, one payload each.

A document is one flat JSON object. ``properties`` is the only open field: whatever a producer
wants to add goes there and is kept as it came. Any other unknown field is a contract violation.
"""

from dataclasses import replace
from enum import StrEnum

from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.personal import Personal
from concord.contracts.tables import LOAD_METADATA, MONEY, POSITION_COLUMNS, POSITION_KEY
from concord.contracts.types import BIGINT, BINARY, INSTANT, INTEGER, JSON, TEXT, UUID, Category


class EventType(StrEnum):
    PAGE_VIEW = "PAGE_VIEW"
    PRODUCT_VIEW = "PRODUCT_VIEW"
    SEARCH = "SEARCH"
    ADD_TO_CART = "ADD_TO_CART"
    REMOVE_FROM_CART = "REMOVE_FROM_CART"
    CHECKOUT_START = "CHECKOUT_START"
    PURCHASE = "PURCHASE"
    LOGIN = "LOGIN"
    LOGOUT = "LOGOUT"


SCHEMA_VERSION = 1
EARLIEST_EVENT_YEAR = 2000
MAX_CLOCK_AHEAD_SECONDS = 300
"""An event may claim to have happened at most this long after Kafka received it."""

ENVELOPE = (
    Column("event_id", UUID, description="The event's identity; a copy carries the same one."),
    Column("event_type", Category(tuple(EventType))),
    Column("schema_version", INTEGER, minimum=SCHEMA_VERSION, maximum=SCHEMA_VERSION),
    Column("user_id", BIGINT, nullable=True, minimum=1, references="users.id", description="Null before login."),
    Column(
        "anonymous_id",
        TEXT,
        nullable=True,
        max_length=128,
        personal=Personal.DEVICE,
        description="The device; null if a server sent it.",
    ),
    Column("occurred_at", INSTANT, description="When it happened, by the producer's clock."),
    Column("received_at", INSTANT, nullable=True, description="When the collector took it in."),
    Column("device_type", Category(("desktop", "mobile", "tablet", "server")), nullable=True),
    Column("user_agent", TEXT, nullable=True, max_length=1024, personal=Personal.DEVICE),
    Column("page_url", TEXT, nullable=True, max_length=2048, personal=Personal.FREE_TEXT),
    Column("referrer", TEXT, nullable=True, max_length=2048, personal=Personal.FREE_TEXT),
    Column(
        "properties",
        JSON,
        nullable=True,
        personal=Personal.FREE_TEXT,
        description="Whatever else the producer knows; an object.",
    ),
)
IDENTITY = ("user_id", "anonymous_id")
"""At least one of the two must be there."""

PRODUCT_ID = Column("product_id", BIGINT, minimum=1, references="products.id")
CATEGORY = Column("category", TEXT, nullable=True, max_length=128)
QUANTITY = Column("quantity", INTEGER, minimum=1, maximum=1_000_000)
PRICE = Column("price", MONEY, nullable=True, description="Unit price; a decimal as a string.")
CART_VALUE = Column("cart_value", MONEY, nullable=True, description="What the cart is worth; a decimal as a string.")
ORDER_ID = Column("order_id", BIGINT, minimum=1, references="orders.id")
TOTAL_AMOUNT = Column("total_amount", MONEY, description="What the order is worth; a decimal as a string.")
SEARCH_QUERY = Column("search_query", TEXT, max_length=512, personal=Personal.FREE_TEXT)
RESULTS_COUNT = Column("results_count", INTEGER, minimum=0, maximum=1_000_000)

PAYLOADS: dict[EventType, tuple[Column, ...]] = {
    EventType.PAGE_VIEW: (),
    EventType.PRODUCT_VIEW: (PRODUCT_ID, CATEGORY, PRICE),
    EventType.SEARCH: (SEARCH_QUERY, RESULTS_COUNT),
    EventType.ADD_TO_CART: (PRODUCT_ID, CATEGORY, QUANTITY, PRICE),
    EventType.REMOVE_FROM_CART: (PRODUCT_ID, CATEGORY, QUANTITY, PRICE),
    EventType.CHECKOUT_START: (CART_VALUE,),
    EventType.PURCHASE: (ORDER_ID, TOTAL_AMOUNT),
    EventType.LOGIN: (),
    EventType.LOGOUT: (),
}
REQUIRES_USER = frozenset({EventType.LOGIN, EventType.LOGOUT})
"""Types whose ``user_id`` must not be null: they are about a known person."""


def event_contract(event_type: EventType) -> Dataset:
    """The document of one event type: envelope and payload, required unless nullable."""
    return Dataset(
        name=event_type.lower(),
        version=SCHEMA_VERSION,
        description=f"One {event_type} event.",
        columns=(*ENVELOPE, *PAYLOADS[event_type]),
        key=("event_id",),
        event_time="occurred_at",
    )


def schema_path(event_type: EventType) -> str:
    """Of its published JSON Schema, below the project's folder."""
    return f"schemas/events/{event_type.lower()}.v{SCHEMA_VERSION}.json"


EVENT_TYPES = {event_type: event_contract(event_type) for event_type in EventType}


def _payload_columns() -> tuple[Column, ...]:
    """Every payload column once, nullable, because no type carries them all."""
    columns = {column.name: column for payload in PAYLOADS.values() for column in payload}
    return tuple(replace(column, nullable=True) for column in columns.values())


EVENTS = Dataset(
    name="events",
    version=SCHEMA_VERSION,
    description="Every valid event of the clickstream, one row per event, with its position.",
    columns=(*ENVELOPE, *_payload_columns(), *POSITION_COLUMNS),
    key=("event_id",),
    event_time="occurred_at",
    partition="_timestamp",
    cluster=("event_type", "occurred_at", "event_id"),
)

EVENTS_LANDING = Dataset(
    name="events_landing",
    description="Every record of the events topic as the bytes that came, one row each.",
    columns=(Column("value", BINARY, nullable=True, personal=Personal.FREE_TEXT), *POSITION_COLUMNS),
    key=POSITION_KEY,
    partition="_timestamp",
)

RAW_EVENTS = replace(EVENTS, columns=(*EVENTS.columns, *LOAD_METADATA), cluster=("occurred_at", "event_type"))
"""``events`` as the warehouse holds it: late ones among them, with the load's own metadata."""

EVENT_CONTRACTS = by_name(*EVENT_TYPES.values())
