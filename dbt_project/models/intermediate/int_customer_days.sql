-- Grain: one row per customer and day with an order that is not cancelled. Key: user_id, date.
-- What was known of a customer at the end of the day holds until next_date.
{{ config(unique_key=['user_id', 'date'], meta={'dirty': 'dirty_users', 'on': ['user_id']}) }}

with days as (
    select
        user_id,
        date,
        count(*)::number(38, 0) as orders,
        sum(total_amount)::number(38, 2) as revenue
    from {{ ref('int_order_analytics') }}
    where
        user_id is not null
        and is_revenue
        and {{ only_dirty(ref('dirty_users'), ['user_id']) }}
    group by user_id, date
)

select
    user_id,
    date,
    orders,
    revenue,
    sum(orders) over (partition by user_id order by date rows unbounded preceding)::number(38, 0) as orders_to_date,
    sum(revenue) over (partition by user_id order by date rows unbounded preceding)::number(38, 2) as spend_to_date,
    min(date) over (partition by user_id) as first_date,
    coalesce(lead(date) over (partition by user_id order by date), '9999-12-31'::date) as next_date
from days
