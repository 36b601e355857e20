"""The published marts: columns in the order of the design, D18 to D21, and those of Concord's own behind them."""

from concord.contracts.derived import BUILT_AT, DAILY_BUSINESS_METRICS, RATIO, SUM, share
from concord.contracts.funnels import CATEGORY_FUNNEL, FUNNEL
from concord.contracts.histories import PRODUCT_HISTORY, USER_HISTORY
from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.personal import Personal
from concord.contracts.types import BIGINT, BOOLEAN, DATE, INSTANT, TEXT, Category

TIER = Category(("bronze", "silver", "gold", "platinum"))

CUSTOMER_TIER_ANALYTICS = Dataset(
    name="customer_tier_analytics",
    description=(
        "One row per tier and day on which an order was created. Tiers are those of the end of the day; orders are "
        "those that are not cancelled."
    ),
    key=("date", "customer_tier"),
    cluster=("date", "customer_tier"),
    columns=(
        Column("date", DATE, description="Day of created_at, in UTC."),
        Column("customer_tier", TIER, description="Rank of what a customer had spent by the end of the day."),
        Column("total_customers", BIGINT, description="Customers of the tier at the end of the day."),
        Column("new_customers", BIGINT, description="Of them, registered that day."),
        Column("active_customers", BIGINT, description="Of them, with an order that day."),
        Column("total_orders", BIGINT, description="Their orders of that day."),
        Column("avg_orders_per_customer", RATIO, nullable=True, description="Orders of that day per active customer."),
        Column("avg_order_value", RATIO, nullable=True, description="Revenue of that day per order."),
        Column("total_revenue", SUM, description="Revenue of that day."),
        share("repeat_purchase_rate", "Of the tier's customers with an order so far, the share with two or more."),
        Column(
            "avg_days_between_orders",
            RATIO,
            nullable=True,
            description="Days from first to last order so far, over the number of orders that followed a first one.",
        ),
        Column("customer_lifetime_value", RATIO, nullable=True, description="Spent so far, per customer of the tier."),
        BUILT_AT,
    ),
)

PRODUCT_PERFORMANCE = Dataset(
    name="product_performance",
    description="One row per day and product that an order of that day which is not cancelled holds.",
    key=("date", "product_id"),
    cluster=("date", "category"),
    columns=(
        Column("date", DATE, description="Day of the order's created_at, in UTC."),
        Column("product_id", BIGINT, references="products.id", description="Article number."),
        Column("product_name", TEXT, nullable=True, description="Name in the catalogue at the batch's position."),
        Column("category", TEXT, nullable=True, description="Category at the batch's position."),
        Column("units_sold", BIGINT, description="Sum of quantities."),
        Column("total_revenue", SUM, description="Sum of quantity × unit price."),
        Column(
            "avg_selling_price",
            RATIO,
            nullable=True,
            description="Revenue per unit; null where no more was sold than returned.",
        ),
        Column("unique_customers", BIGINT, description="Distinct registered buyers of the day."),
        Column("repeat_customers", BIGINT, description="Of them, who had bought this product on an earlier day."),
        Column("revenue_rank_in_category", BIGINT, description="By revenue of the day; equals share a rank."),
        Column("units_rank_in_category", BIGINT, description="By units of the day; equals share a rank."),
        Column("is_top_performer", BOOLEAN, description="In the first fifth of its category by revenue, rounded up."),
        Column(
            "current_stock_level",
            BIGINT,
            nullable=True,
            description="Stock last set by the end of that day; null before the first version that was captured.",
        ),
        Column(
            "days_of_inventory_remaining",
            BIGINT,
            nullable=True,
            description="Whole days that the stock lasts at the pace of the 30 days that end with this one.",
        ),
        BUILT_AT,
    ),
)

CUSTOMER_ANALYTICS = Dataset(
    name="customer_analytics",
    description="One row per registered customer: history and segment at as_of. Orders that are not cancelled count.",
    key=("customer_id",),
    cluster=("customer_tier", "is_active"),
    columns=(
        Column("customer_id", BIGINT, references="users.id", description="Customer number."),
        Column("email", TEXT, personal=Personal.EMAIL, description="As it came from the shop."),
        Column(
            "full_name",
            TEXT,
            nullable=True,
            personal=Personal.NAME,
            description="First and last name; null if both are empty.",
        ),
        Column("registration_date", DATE, description="Day of registration, in UTC."),
        Column("days_since_registration", BIGINT, description="Days from registration to as_of."),
        Column("first_order_date", DATE, nullable=True, description="Day of the first order."),
        Column("last_order_date", DATE, nullable=True, description="Day of the last order."),
        Column("total_orders", BIGINT, description="Number of orders."),
        Column("total_spent", SUM, description="Lifetime value so far: sum of order totals."),
        Column("avg_order_value", RATIO, nullable=True, description="Spent per order."),
        Column(
            "avg_days_between_orders",
            RATIO,
            nullable=True,
            description="Days from first to last order over the orders after the first; null for one order.",
        ),
        Column(
            "favorite_category",
            TEXT,
            nullable=True,
            description="The category with most units bought; of equals the first by name.",
        ),
        Column("total_items_purchased", BIGINT, description="Sum of quantities."),
        Column("customer_tier", TIER, description="Rank of lifetime spend among all customers at as_of."),
        Column("is_active", BOOLEAN, description="Last order at most 90 days before as_of."),
        Column("is_at_risk", BOOLEAN, description="Has ordered, and not in the 180 days before as_of."),
        Column(
            "predicted_ltv",
            RATIO,
            description=(
                "Spend expected by a year after as_of: spent × (days + 365) / days, days since the first order, at "
                "least 90; who is at risk adds nothing. Source: the overview of `concord batch docs`."
            ),
        ),
        Column("last_updated", INSTANT, description="The as_of of the batch that last changed the row."),
    ),
)

MONTHLY_KPIS = Dataset(
    name="monthly_kpis",
    description="One row per month in which an order was created: revenue, acquisition, retention.",
    key=("month",),
    cluster=("month",),
    columns=(
        Column("month", DATE, description="First day of the month, in UTC."),
        Column("total_orders", BIGINT, description="Orders of any status, guests included."),
        Column("completed_orders", BIGINT, description="Delivered or shipped."),
        Column("cancelled_orders", BIGINT, description="Orders whose status is cancelled."),
        Column("total_revenue", SUM, description="Sum of orders that are not cancelled."),
        Column("avg_order_value", RATIO, nullable=True, description="Revenue per order that is not cancelled."),
        Column(
            "revenue_growth_rate",
            RATIO,
            nullable=True,
            description="Change against the month before, as a share of it; null without revenue then.",
        ),
        Column("registered_customers", BIGINT, description="Registrations of the month."),
        Column("active_customers", BIGINT, description="Customers with an order that is not cancelled."),
        Column("acquired_customers", BIGINT, description="Of them, whose first such order it was."),
        Column("returning_customers", BIGINT, description="Of them, who had ordered in an earlier month."),
        Column("retained_customers", BIGINT, description="Of them, who were active in the month before too."),
        Column("churned_customers", BIGINT, description="Active in the month before and not in this one."),
        share("acquisition_rate", "Acquired over active customers."),
        share("retention_rate", "Retained over active customers of the month before."),
        BUILT_AT,
    ),
)

MONTHLY_COHORTS = Dataset(
    name="monthly_cohorts",
    description="One row per cohort (customers by month of their first order) and month in which one of them ordered.",
    key=("cohort_month", "month"),
    cluster=("cohort_month",),
    columns=(
        Column("cohort_month", DATE, description="Month of the first order that is not cancelled; its first day."),
        Column("month", DATE, description="Month of the orders counted here; its first day."),
        Column("months_since_first_order", BIGINT, description="Months from the cohort's to this one."),
        Column("cohort_customers", BIGINT, description="Customers of the cohort."),
        Column("active_customers", BIGINT, description="Of them, with an order in the month."),
        share("retention_rate", "Active over all customers of the cohort."),
        Column("total_revenue", SUM, description="Their revenue of the month."),
        BUILT_AT,
    ),
)

PRODUCT_RECOMMENDATIONS = Dataset(
    name="product_recommendations",
    description=(
        "One row per product and place in its list of up to five: what is bought together with it more often than "
        "chance, then what is bought most."
    ),
    key=("product_id", "recommendation_rank"),
    cluster=("product_id",),
    columns=(
        Column("product_id", BIGINT, references="products.id", description="The product looked at."),
        Column("recommendation_rank", BIGINT, description="Place in its list, from 1."),
        Column("recommended_product_id", BIGINT, references="products.id", description="The product recommended."),
        Column(
            "basis",
            Category(("bought together", "popularity")),
            description="Why: both in at least three orders and more often than chance, or bought most of all.",
        ),
        Column("orders_together", BIGINT, nullable=True, description="Orders of at most 100 products with both."),
        share("support", "Share of all such orders that hold both."),
        share("confidence", "Of the orders with the first, those with both."),
        Column("lift", RATIO, nullable=True, description="Times as often together as by chance."),
        BUILT_AT,
    ),
)

MARTS = by_name(
    DAILY_BUSINESS_METRICS,
    CUSTOMER_TIER_ANALYTICS,
    PRODUCT_PERFORMANCE,
    CUSTOMER_ANALYTICS,
    MONTHLY_KPIS,
    MONTHLY_COHORTS,
    PRODUCT_RECOMMENDATIONS,
    FUNNEL,
    CATEGORY_FUNNEL,
    USER_HISTORY,
    PRODUCT_HISTORY,
)

LOAD_STAMPS = ("processed_at", "created_at", "last_updated")
"""Columns that only say when a row was built, where a dataset has them last."""


def stamp(dataset: Dataset) -> str:
    """The column that says when a row was built: always the last one."""
    last = dataset.names[-1]
    if last not in LOAD_STAMPS:
        raise ValueError(f"{dataset.name} does not say when its rows were built")
    return last
