"""Sessions and funnels as the batch layer tells them: of every event that came, late ones among them."""

from concord.contracts.behaviour import GUEST, SESSIONS, TIERS
from concord.contracts.derived import BUILT_AT, PROCESSED_AT, SUM, share
from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.types import BIGINT, DATE, INTEGER, TEXT, Category

OF_A_MICRO_BATCH = ("customer_tier", "category_steps", "is_withdrawn", "version", "written_at")
"""Columns of the speed layer's sessions that say what a micro-batch knew, or which one wrote the row."""

BATCH_SESSIONS = Dataset(
    name="sessions",
    description="One row per session, of every event at the batch's position, late ones among them.",
    key=("session_id",),
    event_time="started_at",
    cluster=("started_at",),
    columns=(
        *(column for column in SESSIONS.columns if column.name not in OF_A_MICRO_BATCH),
        Column("late_events", INTEGER, description="Of its events, those that the speed layer keeps apart as late."),
        PROCESSED_AT,
    ),
)

INTERMEDIATE = by_name(BATCH_SESSIONS)
"""Intermediate models that readers see, in STAGING. The others stay beside the published tables."""

REACHED = (
    Column("viewed", BIGINT, description="Of them, with a PRODUCT_VIEW."),
    Column("carted", BIGINT, description="Of them, with an ADD_TO_CART after it."),
    Column("checkouts", BIGINT, description="Of them, with a CHECKOUT_START after that."),
    Column("purchased", BIGINT, description="Of them, with a PURCHASE after that."),
)
RATES = (
    share("cart_rate", "Carted over viewed."),
    share("checkout_rate", "Checkouts over carted."),
    share("purchase_rate", "Purchased over checkouts."),
)

FUNNEL = Dataset(
    name="funnel",
    description=(
        "One row per day on which a session began, tier and traffic source: how far these sessions went. Counts add up "
        "over rows, rates do not."
    ),
    key=("date", "customer_tier", "traffic_source"),
    cluster=("date", "customer_tier"),
    columns=(
        Column("date", DATE, description="Day of the session's first event, in UTC."),
        Column(
            "customer_tier",
            Category((*TIERS, GUEST)),
            description="Tier of the session's user by what everybody had spent by the end of that day, or `guest`.",
        ),
        Column("traffic_source", Category(), description="Where the session's first event came from."),
        Column("sessions", BIGINT, description="Sessions."),
        *REACHED,
        Column("total_cart_value", SUM, description="Put into carts less what was taken out; of clicks, no revenue."),
        Column("total_purchase_value", SUM, description="What PURCHASE events say; of clicks, no revenue."),
        share("view_rate", "Viewed over sessions."),
        *RATES,
        share("conversion_rate", "Purchased over sessions."),
        BUILT_AT,
    ),
)

CATEGORY_FUNNEL = Dataset(
    name="category_funnel",
    description=(
        "One row per day on which a session began and product category that it viewed: how far these sessions went "
        "with the category. A session counts once per category."
    ),
    key=("date", "product_category"),
    cluster=("date", "product_category"),
    columns=(
        Column("date", DATE, description="Day of the session's first event, in UTC."),
        Column("product_category", TEXT, description="As the event says, else the catalogue's at the position."),
        Column("viewed", BIGINT, description="Sessions with a PRODUCT_VIEW of the category."),
        Column("carted", BIGINT, description="Of them, with an ADD_TO_CART of the category after it."),
        *REACHED[2:],
        *RATES,
        share("conversion_rate", "Purchased over viewed."),
        BUILT_AT,
    ),
)
