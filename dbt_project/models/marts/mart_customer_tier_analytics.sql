-- Grain: one row per day (UTC) on which an order was created and tier. Key: date, customer_tier.
-- Tiers are those of the end of that day: ranks of what each customer had spent until then.
{{ config(
    alias='customer_tier_analytics',
    unique_key=['date', 'customer_tier'],
    meta={'dirty': 'dirty_tier_dates', 'on': ['date'], 'stamp': 'created_at', 'is_published': true}
) }}

with dates as (
    select distinct date
    from {{ ref('int_order_analytics') }}
    where {{ only_dirty(ref('dirty_tier_dates'), ['date']) }}
),

tiers as (
    select * from {{ ref('customer_tiers') }}
),

customer_counts as (
    {{ customers_by_day('dates') }}
),

registrations as (
    select to_date(created_at) as date, count(*)::number(38, 0) as customers
    from {{ ref('base_users') }}
    group by 1
),

tiered as (
    {{ buyers_by_tier('dates', 'customer_counts') }}
),

by_tier as (
    select
        date,
        customer_tier,
        count(*) as buyers,
        count_if(registration_date = date) as new_buyers,
        count_if(orders > 0) as active_customers,
        sum(orders) as orders,
        sum(revenue)::number(38, 2) as revenue,
        count_if(orders_to_date > 1) as repeat_buyers,
        sum(iff(orders_to_date > 1, datediff(day, first_date, last_date), 0)) as days_between,
        sum(orders_to_date - 1) as gaps,
        sum(spend_to_date)::number(38, 2) as spend
    from tiered
    group by date, customer_tier
),

all_buyers as (
    select date, sum(buyers) as buyers, sum(new_buyers) as new_buyers
    from by_tier
    group by date
),

-- Whoever has bought nothing yet is of the lowest tier.
joined as (
    select
        dates.date,
        tiers.customer_tier,
        coalesce(by_tier.buyers, 0)::number(38, 0) as buyers,
        (
            coalesce(by_tier.buyers, 0)
            + iff({{ is_lowest_tier('tiers') }}, coalesce(customer_counts.customers, 0) - coalesce(all_buyers.buyers, 0), 0)
        )::number(38, 0) as total_customers,
        (
            coalesce(by_tier.new_buyers, 0)
            + iff(
                {{ is_lowest_tier('tiers') }},
                coalesce(registrations.customers, 0) - coalesce(all_buyers.new_buyers, 0),
                0
            )
        )::number(38, 0) as new_customers,
        coalesce(by_tier.active_customers, 0)::number(38, 0) as active_customers,
        coalesce(by_tier.orders, 0)::number(38, 0) as total_orders,
        coalesce(by_tier.revenue, 0)::number(38, 2) as total_revenue,
        coalesce(by_tier.repeat_buyers, 0)::number(38, 0) as repeat_buyers,
        coalesce(by_tier.days_between, 0)::number(38, 0) as days_between,
        coalesce(by_tier.gaps, 0)::number(38, 0) as gaps,
        coalesce(by_tier.spend, 0)::number(38, 2) as spend
    from dates
    cross join tiers
    left join customer_counts on dates.date = customer_counts.date
    left join registrations on dates.date = registrations.date
    left join all_buyers on dates.date = all_buyers.date
    left join by_tier on dates.date = by_tier.date and tiers.customer_tier = by_tier.customer_tier
)

select
    date,
    customer_tier,
    total_customers,
    new_customers,
    active_customers,
    total_orders,
    {{ exact_ratio('total_orders', 'active_customers') }} as avg_orders_per_customer,
    {{ exact_ratio('total_revenue', 'total_orders', scale=2) }} as avg_order_value,
    total_revenue,
    {{ exact_ratio('repeat_buyers', 'buyers') }} as repeat_purchase_rate,
    {{ exact_ratio('days_between', 'gaps') }} as avg_days_between_orders,
    {{ exact_ratio('spend', 'total_customers', scale=2) }} as customer_lifetime_value,
    {{ as_of() }} as created_at
from joined
