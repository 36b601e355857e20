"""The four source tables, as PostgreSQL holds them, and the stages they pass downstream."""

from dataclasses import replace
from enum import StrEnum

from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.personal import Personal
from concord.contracts.types import (
    BIGINT,
    BINARY,
    DATE,
    INSTANT,
    INTEGER,
    TEXT,
    Category,
    Decimal,
)

MONEY = Decimal(10, 2)

TOAST_PLACEHOLDER = "__debezium_unavailable_value"
"""What Debezium sends for a large value that an update left untouched (trap K2)."""


class OrderStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


CREATED_AT = Column("created_at", INSTANT, description="When the row came to be in the shop.")
UPDATED_AT = Column("updated_at", INSTANT, description="When the shop last changed the row.")

USERS = Dataset(
    name="users",
    description="One row per registered customer.",
    key=("id",),
    event_time="updated_at",
    cluster=("created_at",),
    columns=(
        Column("id", BIGINT, description="Customer number."),
        Column("email", TEXT, personal=Personal.EMAIL, toastable=True, description="E-mail address."),
        Column("first_name", TEXT, nullable=True, personal=Personal.NAME, toastable=True, description="Given name."),
        Column("last_name", TEXT, nullable=True, personal=Personal.NAME, toastable=True, description="Family name."),
        CREATED_AT,
        UPDATED_AT,
    ),
)

PRODUCTS = Dataset(
    name="products",
    description="One row per article of the catalogue.",
    key=("id",),
    event_time="updated_at",
    cluster=("created_at", "category"),
    columns=(
        Column("id", BIGINT, description="Article number."),
        Column("sku", TEXT, description="Stock keeping unit, the article's name in the source system; unique."),
        Column("name", TEXT, toastable=True, description="What the article is called."),
        Column("description", TEXT, nullable=True, toastable=True, description="Longer text, where the shop has one."),
        Column("price", MONEY, description="Catalogue price."),
        Column("cost", MONEY, nullable=True, description="Purchase price; margins are null without it."),
        Column("stock_quantity", INTEGER, description="Pieces in stock."),
        Column("category", TEXT, description="Category of the catalogue."),
        CREATED_AT,
        UPDATED_AT,
    ),
)

ORDERS = Dataset(
    name="orders",
    description="One row per order, whoever placed it.",
    key=("id",),
    event_time="updated_at",
    cluster=("created_at", "status"),
    columns=(
        Column("id", BIGINT, description="Order number."),
        Column("external_id", TEXT, nullable=True, description="The number a source system gave it; unique."),
        Column("user_id", BIGINT, nullable=True, references="users.id", description="Null for a guest."),
        Column("status", Category(tuple(OrderStatus)), description="Where the order stands in its life."),
        Column("total_amount", MONEY, description="Sum of quantity × unit price over its lines."),
        Column(
            "shipping_address",
            TEXT,
            nullable=True,
            personal=Personal.ADDRESS,
            toastable=True,
            description="Where it goes.",
        ),
        CREATED_AT,
        UPDATED_AT,
    ),
)

ORDER_ITEMS = Dataset(
    name="order_items",
    description="One row per order line.",
    key=("id",),
    event_time="created_at",
    cluster=("created_at",),
    columns=(
        Column("id", BIGINT, description="Line number."),
        Column("order_id", BIGINT, references="orders.id", description="The order that the line belongs to."),
        Column("product_id", BIGINT, references="products.id", description="The article."),
        Column("quantity", INTEGER, description="Pieces."),
        Column("unit_price", MONEY, description="Price of one piece, as sold."),
        CREATED_AT,
    ),
)

TABLES = by_name(USERS, PRODUCTS, ORDERS, ORDER_ITEMS)

FENCE = Dataset(
    name="fence",
    description="One row per fence: a moment with no writer in flight on the four tables.",
    key=("id",),
    columns=(Column("id", BIGINT), Column("label", TEXT), CREATED_AT),
)
HEARTBEAT = Dataset(
    name="heartbeat",
    description="One row that the connector touches, so that the slot moves on while the shop is idle.",
    key=("id",),
    columns=(Column("id", INTEGER), Column("beat_at", INSTANT)),
)

CDC_METADATA = (
    Column("__op", Category(("c", "u", "d", "r")), description="Debezium: create, update, delete, read (snapshot)."),
    Column("__ts_ms", INSTANT, nullable=True, description="When the connector handled the change."),
    Column("__source_ts_ms", INSTANT, nullable=True, description="When PostgreSQL committed the change."),
    Column("__source_lsn", BIGINT, nullable=True, description="Write-ahead log position of the row."),
)
POSITION_COLUMNS = (
    Column("_topic", Category(), description="Kafka topic the row came from."),
    Column("_partition", INTEGER, description="Kafka partition the row came from."),
    Column("_offset", BIGINT, description="Kafka offset the row came from."),
    Column("_timestamp", INSTANT, description="When Kafka received the row (LogAppendTime)."),
)
LOAD_METADATA = (
    Column("loaded_at", INSTANT, description="When the batch loaded the row."),
    Column("batch_id", TEXT, description="The batch that loaded the row."),
    Column("file_name", TEXT, nullable=True, description="The lake file the row came from."),
)

POSITION_KEY = ("_topic", "_partition", "_offset")


def _optional_but_key(table: Dataset) -> tuple[Column, ...]:
    """A delete carries only its key, so every other column of a change may be null."""
    return tuple(column if column.name in table.key else replace(column, nullable=True) for column in table.columns)


def as_change(table: Dataset) -> Dataset:
    """The table's change log: one row per change, in Kafka's order."""
    return Dataset(
        name=f"{table.name}_changes",
        description=f"Every change of {table.name}, one row each, keyed by its position.",
        columns=(*_optional_but_key(table), *CDC_METADATA, *POSITION_COLUMNS),
        key=POSITION_KEY,
        event_time=table.event_time,
        partition="_timestamp",
        cluster=(*table.key, "_partition", "_offset"),
    )


def as_landed(table: Dataset) -> Dataset:
    """The change log as the lake keeps it: the records as they came, so that nothing is lost or bent on the way."""
    return Dataset(
        name=as_change(table).name,
        description=f"Every change record of {table.name} as the bytes that came, one row each.",
        columns=(Column("value", BINARY, nullable=True, personal=_of_records(table)), *POSITION_COLUMNS),
        key=POSITION_KEY,
        partition="_timestamp",
    )


def _of_records(table: Dataset) -> Personal | None:
    """Whoever has the bytes has every column, those too that the contract does not know."""
    return Personal.FREE_TEXT if any(column.personal for column in table.columns) else None


def as_raw(table: Dataset) -> Dataset:
    """The change log as the warehouse holds it, with the load's own metadata."""
    change = as_change(table)
    return replace(change, name=table.name, columns=(*change.columns, *LOAD_METADATA), cluster=table.cluster)


def as_mirror(table: Dataset) -> Dataset:
    """Current state in the lake, partitioned by ``date`` = day of ``created_at`` (D8), with its last change's position."""
    date = Column("date", DATE, description="Day of created_at.")
    return table.extended(table.name, *CDC_METADATA, date, *POSITION_COLUMNS, partition="date")


LAKE_NAMES = {"_partition": "_kafka_partition"}
"""Iceberg keeps ``_partition`` for a metadata column, and Spark refuses a table that has its own."""


def in_lake(dataset: Dataset) -> Dataset:
    """The dataset with the column names that it has in the lake."""
    return replace(
        dataset,
        columns=tuple(replace(column, name=lake_name(column.name)) for column in dataset.columns),
        key=tuple(map(lake_name, dataset.key)),
        cluster=tuple(map(lake_name, dataset.cluster)),
    )


def lake_name(column: str) -> str:
    return LAKE_NAMES.get(column, column)
