"""What Spark computes over the lake's mirrors and events, and what each run of it took.

The published figures are dbt's (``contracts.marts``). These are the second computation of the same
definitions: a column that both have is declared once, there.
"""

from concord.contracts.derived import DAILY_BUSINESS_METRICS, RATIO
from concord.contracts.marts import CUSTOMER_ANALYTICS, PRODUCT_PERFORMANCE, stamp
from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.types import BIGINT, DATE, INSTANT, INTEGER, JSON, TEXT, Category, Decimal

SECONDS = Decimal(18, 3)

OF_RUN = (
    Column("as_of", INSTANT, description="The time that the run took instead of now."),
    Column("loaded_at", INSTANT, description="When the run that wrote the row began."),
    Column("batch_id", TEXT, description="The run that wrote the row, a UUID: run_id of job_runs."),
)


def _shared(mart: Dataset) -> tuple[Column, ...]:
    """The mart's columns but for its stamp and for what is personal: one copy of an address is enough."""
    return tuple(column for column in mart.columns if column.name != stamp(mart) and not column.personal)


CUSTOMER_METRICS = Dataset(
    name="customer_metrics",
    description="One row per registered customer at as_of, over all orders that are not cancelled.",
    key=("customer_id",),
    columns=(
        *_shared(CUSTOMER_ANALYTICS),
        Column("days_since_last_order", BIGINT, nullable=True, description="Days from the last order to as_of."),
        Column("unique_products_purchased", BIGINT, description="Distinct products."),
        Column("spend_rank", BIGINT, description="By total_spent from 1; of equals the lower number first."),
        *OF_RUN,
    ),
)

PRODUCT_METRICS = Dataset(
    name="product_metrics",
    description=PRODUCT_PERFORMANCE.description,
    key=PRODUCT_PERFORMANCE.key,
    partition="date",
    columns=(
        *_shared(PRODUCT_PERFORMANCE),
        Column(
            "category_revenue_share",
            RATIO,
            nullable=True,
            description="Of the category's revenue of the day; null without any.",
        ),
        Column("recent_units_sold", BIGINT, description="Units of the 30 days that end with this one."),
        Column(
            "inventory_turnover",
            RATIO,
            nullable=True,
            description="Units of these 30 days over the stock at the end of the day; null without stock.",
        ),
        *OF_RUN,
    ),
)

ORDER_METRICS = Dataset(
    name="order_metrics",
    description=DAILY_BUSINESS_METRICS.description,
    key=DAILY_BUSINESS_METRICS.key,
    columns=(
        *_shared(DAILY_BUSINESS_METRICS),
        Column("delivered_orders", BIGINT, description="Orders of the day that are delivered by now."),
        Column(
            "avg_days_to_fulfillment",
            RATIO,
            nullable=True,
            description="Days from order to first delivery, over the delivered orders.",
        ),
        Column("cancellation_rate", RATIO, description="Cancelled over all orders."),
        *OF_RUN,
    ),
)

FUNNEL_METRICS = Dataset(
    name="funnel_metrics",
    description="One row per day on which a session began; of every event that came, late ones among them.",
    key=("date",),
    columns=(
        Column("date", DATE, description="Day on which the session began, in UTC."),
        Column("sessions", BIGINT),
        Column("viewed", BIGINT, description="Sessions that viewed a product."),
        Column("carted", BIGINT, description="Of them, that put something into the cart afterwards."),
        Column("checkouts", BIGINT, description="Of them, that began a checkout afterwards."),
        Column("purchased", BIGINT, description="Of them, that purchased afterwards."),
        Column("view_rate", RATIO, nullable=True, description="Viewed over sessions."),
        Column("cart_rate", RATIO, nullable=True, description="Carted over viewed."),
        Column("checkout_rate", RATIO, nullable=True, description="Checkouts over carted."),
        Column("purchase_rate", RATIO, nullable=True, description="Purchased over checkouts."),
        Column("conversion_rate", RATIO, nullable=True, description="Purchased over sessions."),
        *OF_RUN,
    ),
)

LAKE_METRICS = by_name(CUSTOMER_METRICS, PRODUCT_METRICS, ORDER_METRICS, FUNNEL_METRICS)

JOB_RUNS = Dataset(
    name="job_runs",
    description="One row per run and job of the batch layer's Spark: what it read, wrote and took. Appended to alone.",
    key=("run_id", "job"),
    partition="started_at",
    columns=(
        Column("run_id", TEXT, description="One call of the command, a UUID."),
        Column("job", Category(), description="The table of metrics that it writes, or the step of a batch."),
        Column("batch_id", TEXT, nullable=True, description="The batch whose step it is; null of metrics."),
        Column(
            "mode",
            Category(("full", "range", "incremental")),
            description="Which days were asked for; of a batch everything, one that is run again, or what is new.",
        ),
        Column("state", Category(("ended", "failed"))),
        Column("detail", TEXT, nullable=True, description="Why it failed."),
        Column("first_day", DATE, nullable=True, description="First day asked for; null if the range is open."),
        Column("last_day", DATE, nullable=True, description="Last day asked for."),
        Column("days", INTEGER, nullable=True, description="Days replaced, where changes said which."),
        Column("position", JSON, description="{topic: {partition: offset}} that was read."),
        Column("snapshots", JSON, description="{table: snapshot} that was read."),
        Column("as_of", INSTANT, description="The time that the run took instead of now."),
        Column(
            "rows_in",
            BIGINT,
            description="Rows that the figures are made of, of a mirror records of its change log; rejected ones among them.",
        ),
        Column("rows_out", BIGINT, description="Rows written; of a mirror keys changed."),
        Column(
            "rows_rejected",
            BIGINT,
            description="Of metrics rows that belong to nothing; of events and changes what became or is a dead letter.",
        ),
        Column("started_at", INSTANT),
        Column("seconds", SECONDS, description="On the clock on the wall."),
        Column("cpu_seconds", SECONDS, description="Of all tasks; the driver's planning is not in it."),
        Column(
            "peak_memory_bytes",
            BIGINT,
            description="Highest resident memory of the driver's Java machine so far; of a local run all of Spark's.",
        ),
        Column("shuffle_read_bytes", BIGINT),
        Column("shuffle_write_bytes", BIGINT),
        Column("memory_spilled_bytes", BIGINT, description="Taken out of memory, as it lay there."),
        Column("disk_spilled_bytes", BIGINT, description="The same as it was written to disk."),
    ),
)
