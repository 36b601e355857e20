-- Grain: one row per customer with an order that is not cancelled. Key: user_id.
{{ config(unique_key='user_id', meta={'dirty': 'dirty_users', 'on': ['user_id']}) }}

select
    user_id,
    count(*)::number(38, 0) as orders,
    sum(total_amount)::number(38, 2) as lifetime_spend
from {{ ref('base_orders') }}
where
    user_id is not null
    and {{ counts_as_revenue('status') }}
    and {{ only_dirty(ref('dirty_users'), ['user_id']) }}
group by user_id
