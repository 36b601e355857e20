-- Grain: one row per day (UTC) on which a session began, tier and traffic source. Key: date, customer_tier, traffic_source.
-- Tiers are those of the end of that day, as in customer_tier_analytics.
{{ config(
    alias='funnel',
    unique_key=['date', 'customer_tier', 'traffic_source'],
    meta={'dirty': 'dirty_funnel_dates', 'on': ['date'], 'stamp': 'created_at', 'is_published': true}
) }}

with sessions as (
    select *, to_date(started_at) as date
    from {{ ref('int_sessions') }}
    where {{ only_dirty(ref('dirty_funnel_dates'), ['to_date(started_at)'], ['date']) }}
),

dates as (
    select distinct date
    from sessions
),

customer_counts as (
    {{ customers_by_day('dates') }}
),

tiered as (
    {{ buyers_by_tier('dates', 'customer_counts') }}
),

-- Whoever has bought nothing yet is of the lowest tier; a session that names nobody has none.
told as (
    select
        sessions.*,
        iff(
            sessions.user_id is null,
            '{{ var("guest") }}',
            coalesce(tiered.customer_tier, '{{ var("lowest_tier") }}')
        ) as customer_tier
    from sessions
    left join tiered on sessions.user_id = tiered.user_id and sessions.date = tiered.date
),

counted as (
    select
        date,
        customer_tier,
        traffic_source,
        count(*)::number(38, 0) as sessions,
        count_if(funnel_step >= 1)::number(38, 0) as viewed,
        count_if(funnel_step >= 2)::number(38, 0) as carted,
        count_if(funnel_step >= 3)::number(38, 0) as checkouts,
        count_if(funnel_step >= 4)::number(38, 0) as purchased,
        sum(cart_value)::number(38, 2) as total_cart_value,
        sum(purchase_value)::number(38, 2) as total_purchase_value
    from told
    group by date, customer_tier, traffic_source
)

select
    date,
    customer_tier,
    traffic_source,
    sessions,
    viewed,
    carted,
    checkouts,
    purchased,
    total_cart_value,
    total_purchase_value,
    {{ exact_ratio('viewed', 'sessions') }} as view_rate,
    {{ exact_ratio('carted', 'viewed') }} as cart_rate,
    {{ exact_ratio('checkouts', 'carted') }} as checkout_rate,
    {{ exact_ratio('purchased', 'checkouts') }} as purchase_rate,
    {{ exact_ratio('purchased', 'sessions') }} as conversion_rate,
    {{ as_of() }} as created_at
from counted
