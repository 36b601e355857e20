"""Datasets that Concord itself makes: bookkeeping of each layer, staging, marts, verdicts."""

from dataclasses import replace

from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.personal import Personal
from concord.contracts.tables import LOAD_METADATA, ORDER_ITEMS, ORDERS, POSITION_COLUMNS, PRODUCTS, USERS
from concord.contracts.types import (
    BIGINT,
    BINARY,
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    JSON,
    TEXT,
    Category,
    Decimal,
)

SUM = Decimal(38, 2)
RATIO = Decimal(18, 4)


def share(name: str, description: str, nullable: bool = True) -> Column:
    """A part of a whole, from 0 to 1; null where the whole is nothing."""
    return Column(name, RATIO, nullable=nullable, description=description, minimum=0, maximum=1)


# --- the speed layer's bookkeeping (ClickHouse) ---

SPEED_POSITION = Dataset(
    name="speed_position",
    description="What the speed layer holds completely: one row per partition and micro-batch, written last.",
    key=("query", "_topic", "_partition", "batch_id"),
    columns=(
        Column("query", Category(), description="Streaming query that wrote it."),
        Column("batch_id", BIGINT, description="Micro-batch of that query."),
        Column("_topic", Category()),
        Column("_partition", INTEGER),
        Column("_offset", BIGINT, description="Last data record held."),
        Column("records_in", BIGINT, description="Records read from this partition by this micro-batch."),
        Column("stored", BIGINT),
        Column("dead", BIGINT, description="Went to dead_letters."),
        Column("duplicate", BIGINT, description="Copies of an event already stored."),
        Column("late", BIGINT, description="Later than the lateness bound."),
        Column("bound", INSTANT, nullable=True, description="No later micro-batch holds an event before it as timely."),
        Column("written_at", INSTANT),
    ),
)

IDLE_BOUNDS = Dataset(
    name="idle_bounds",
    description="The lateness bound by the clock, while nothing comes in and nothing waits.",
    key=("query",),
    columns=(Column("query", Category()), Column("bound", INSTANT), Column("written_at", INSTANT)),
)

DEAD_LETTERS = Dataset(
    name="dead_letters",
    description="Every record that breaks its contract, exactly once per source position.",
    key=("_topic", "_partition", "_offset"),
    partition="_timestamp",
    columns=(
        Column("reason", Category(), description="Reason code."),
        Column("pointer", TEXT, description="JSON pointer to the field at fault; empty for the whole record."),
        Column("detail", TEXT, description="What is wrong, in words."),
        Column(
            "original",
            BINARY,
            nullable=True,
            personal=Personal.FREE_TEXT,
            description="The record's bytes as they came.",
        ),
        *POSITION_COLUMNS,
        Column("first_seen_at", INSTANT),
    ),
)

DEAD_LETTER_REPLAYS = Dataset(
    name="dead_letter_replays",
    description="What was done about dead letters: one row per letter, replay and step of it.",
    key=("source_topic", "source_partition", "source_offset", "replay_id", "outcome"),
    partition="replayed_at",
    columns=(
        Column("source_topic", Category(), description="Where the dead letter came from."),
        Column("source_partition", INTEGER),
        Column("source_offset", BIGINT),
        Column("replay_id", TEXT, description="One call of the command."),
        Column("attempt", INTEGER, description="Which attempt at the original this is, from 1."),
        Column("reason", Category(), description="Reason code of the dead letter."),
        Column("fix", TEXT, description="The jq program or JSON patch; empty if it was sent as it came."),
        Column("outcome", Category(("intended", "sent", "withdrawn", "refused")), description="Written in this order."),
        Column("refusal", Category(), description="Why it was refused, as a code; empty if it was not."),
        Column("detail", TEXT, description="Why it was refused, in words."),
        Column("topic_end", TEXT, description="Position of the topic before it was sent, as JSON."),
        Column("produced_topic", Category(), nullable=True, description="Where the record lies that was sent."),
        Column("produced_partition", INTEGER, nullable=True),
        Column("produced_offset", BIGINT, nullable=True),
        Column("replayed_at", INSTANT),
    ),
)

# --- the batch layer's bookkeeping (Snowflake, schema RAW) ---

LOAD_AUDIT = Dataset(
    name="load_audit",
    description="One row per batch, table and partition: what the load brought and up to where.",
    key=("batch_id", "_topic", "_partition"),
    columns=(
        Column("batch_id", TEXT),
        Column("_topic", TEXT),
        Column("_partition", INTEGER),
        Column("_offset", BIGINT, description="Last data record held once this batch is published."),
        Column("rows_read", BIGINT, description="Rows of the lake in this batch's range."),
        Column("rows_inserted", BIGINT, description="Rows that RAW did not have yet."),
        Column("snapshot_id", TEXT, description="Iceberg snapshot the batch read."),
        Column("loaded_at", INSTANT),
    ),
)

RAW_DEAD_LETTERS = replace(
    DEAD_LETTERS,
    description="Every record that breaks its contract, by the batch layer's own verdict; its bytes stay in the lake.",
    columns=(*(column for column in DEAD_LETTERS.columns if column.name != "original"), *LOAD_METADATA),
)

EVENT_AUDIT = Dataset(
    name="event_audit",
    description="One row per batch and partition of the clickstream: records_in = stored + dead + duplicate.",
    key=("batch_id", "_topic", "_partition"),
    columns=(
        Column("batch_id", TEXT),
        Column("_topic", TEXT),
        Column("_partition", INTEGER),
        Column("_offset", BIGINT, description="Last record held once this batch is published."),
        Column("records_in", BIGINT, description="Records of the landing in this batch's range."),
        Column("stored", BIGINT, description="Rows of events, late ones among them."),
        Column("dead", BIGINT, description="Rows of dead_letters."),
        Column("duplicate", BIGINT, description="Copies of an event that is stored at another position."),
        Column("snapshot_id", TEXT, description="Iceberg snapshot of the landing that the batch read."),
        Column("loaded_at", INSTANT),
    ),
)

PUBLICATIONS = Dataset(
    name="publications",
    description="One row per published batch. What is not here has not happened, to any reader.",
    key=("batch_id",),
    columns=(
        Column("batch_id", TEXT),
        Column("position", JSON, description="{topic: {partition: offset}} that the published models hold."),
        Column("as_of", INSTANT, description="The time that models take instead of now."),
        Column("published_at", INSTANT),
    ),
)

MODEL_BUILDS = Dataset(
    name="model_builds",
    description="What the working copies of the models hold: one row per build of them that began, ended or was published.",
    key=("number",),
    columns=(
        Column("number", BIGINT, description="In the order in which they were written, from 1."),
        Column("state", Category(("begun", "ended", "published")), description="Of the build."),
        Column("position", JSON, description="{topic: {partition: offset}} that the build was to hold."),
        Column("as_of", INSTANT, description="The time that models took instead of now."),
        Column("project", TEXT, description="Digest of the models' text: others have other rows."),
        Column("is_full", BOOLEAN, description="Every row was built anew, not only what changed."),
    ),
)

# --- staging and marts (Snowflake); columns in the order of the design, D14 to D18 ---

PROCESSED_AT = Column("processed_at", INSTANT, description="The as_of of the batch that last changed the row.")
BUILT_AT = Column("created_at", INSTANT, description="The as_of of the batch that last changed the row.")

USERS_ENHANCED = Dataset(
    name="users_enhanced",
    description="One row per user, with quality flags.",
    key=("id",),
    cluster=("created_at", "customer_tier"),
    columns=(
        USERS["id"],
        USERS["email"],
        USERS["first_name"],
        USERS["last_name"],
        Column(
            "full_name",
            TEXT,
            nullable=True,
            personal=Personal.NAME,
            description="First and last name; null where both are missing.",
        ),
        USERS["created_at"],
        USERS["updated_at"],
        Column("is_valid_email", BOOLEAN, description="One @, a domain with a dot, no blanks."),
        Column("is_complete_profile", BOOLEAN, description="E-mail, first and last name are all there."),
        Column(
            "customer_tier",
            Category(("bronze", "silver", "gold", "platinum")),
            description="By rank of lifetime spend: the first 3 % platinum, 12 % gold, 25 % silver, the rest and who never spent bronze.",
        ),
        Column("days_since_registration", BIGINT, description="Calendar days from created_at to as_of."),
        PROCESSED_AT,
    ),
)
PRODUCTS_ENHANCED = Dataset(
    name="products_enhanced",
    description="One row per product, with price tier and availability.",
    key=("id",),
    cluster=("created_at", "category"),
    columns=(
        *(PRODUCTS[name] for name in ("id", "name", "description", "price", "stock_quantity", "category")),
        PRODUCTS["created_at"],
        PRODUCTS["updated_at"],
        Column(
            "price_tier",
            Category(("budget", "mid-range", "premium")),
            description="budget, mid-range or premium by catalogue price.",
        ),
        Column("is_in_stock", BOOLEAN, description="Stock above zero."),
        Column("is_popular", BOOLEAN, description="Among the top fifth of products by number of orders."),
        Column(
            "has_complete_info",
            BOOLEAN,
            description="Name, description, category and a price above zero are all there.",
        ),
        PROCESSED_AT,
    ),
)
ORDERS_ENHANCED = Dataset(
    name="orders_enhanced",
    description="One row per order, with size, fulfilment and quality flags.",
    key=("id",),
    cluster=("created_at", "status"),
    columns=(
        *(ORDERS[name] for name in ("id", "user_id", "status", "total_amount", "shipping_address")),
        ORDERS["created_at"],
        ORDERS["updated_at"],
        Column(
            "order_size_category",
            Category(("small", "medium", "large")),
            description="small, medium or large by total_amount.",
        ),
        Column("days_to_fulfillment", BIGINT, nullable=True, description="Days from order to delivery."),
        Column(
            "is_repeat_customer",
            BOOLEAN,
            description="The customer had ordered before, whatever became of that order; false for guests.",
        ),
        Column("is_valid_order", BOOLEAN, description="Amount not negative, at least one line, a known status."),
        Column("has_shipping_address", BOOLEAN, description="A shipping address is there."),
        PROCESSED_AT,
    ),
)
ORDER_ITEMS_ENHANCED = Dataset(
    name="order_items_enhanced",
    description="One row per order line, with its product's context.",
    key=("id",),
    cluster=("created_at", "product_category"),
    columns=(
        *(ORDER_ITEMS[name] for name in ("id", "order_id", "product_id", "quantity", "unit_price")),
        Column("line_total", SUM, description="quantity × unit price."),
        ORDER_ITEMS["created_at"],
        Column(
            "product_name", TEXT, nullable=True, description="The product's name now; null where the product is gone."
        ),
        Column("product_category", TEXT, nullable=True, description="The product's category now."),
        Column(
            "discount_amount",
            SUM,
            nullable=True,
            description="Catalogue price less unit price, for the whole line; negative where it sold for more.",
        ),
        Column(
            "margin_amount",
            SUM,
            nullable=True,
            description="Unit price less the product's cost, for the whole line; null without a cost.",
        ),
        PROCESSED_AT,
    ),
)
DAILY_BUSINESS_METRICS = Dataset(
    name="daily_business_metrics",
    description="One row per day on which an order was created.",
    key=("date",),
    cluster=("date",),
    columns=(
        Column("date", DATE, description="Day of created_at, in UTC."),
        Column(
            "new_customers",
            BIGINT,
            description="Distinct customers with an order that day, of any status, who registered that day.",
        ),
        Column(
            "returning_customers",
            BIGINT,
            description="Distinct customers with an order that day, of any status, who registered before it.",
        ),
        Column(
            "total_active_customers",
            BIGINT,
            description="Distinct registered customers with an order that day, of any status.",
        ),
        Column("total_orders", BIGINT, description="Orders of any status, guests included."),
        Column("completed_orders", BIGINT, description="Delivered or shipped."),
        Column("cancelled_orders", BIGINT, description="Orders whose status is cancelled."),
        Column("avg_order_value", RATIO, nullable=True, description="Revenue per order that is not cancelled."),
        Column("total_revenue", SUM, description="Sum of orders that are not cancelled."),
        Column("revenue_from_new_customers", SUM, description="Revenue of orders by customers registered that day."),
        Column(
            "revenue_from_returning_customers",
            SUM,
            description="Revenue of orders by customers registered before that day.",
        ),
        Column("total_items_sold", BIGINT, description="Quantities over orders that are not cancelled."),
        Column("unique_products_sold", BIGINT, description="Distinct products over orders that are not cancelled."),
        share("customer_acquisition_rate", "New over active customers, 0 where there are none.", nullable=False),
        share("order_completion_rate", "Completed over all orders.", nullable=False),
        Column(
            "average_items_per_order",
            RATIO,
            description="Items per order that is not cancelled, 0 where there is none.",
        ),
        BUILT_AT,
    ),
)

STAGING = by_name(USERS_ENHANCED, PRODUCTS_ENHANCED, ORDERS_ENHANCED, ORDER_ITEMS_ENHANCED)
WAREHOUSE_BOOKKEEPING = by_name(LOAD_AUDIT, EVENT_AUDIT, PUBLICATIONS, MODEL_BUILDS)
SPEED_BOOKKEEPING = by_name(SPEED_POSITION, IDLE_BOUNDS, DEAD_LETTERS, DEAD_LETTER_REPLAYS)
