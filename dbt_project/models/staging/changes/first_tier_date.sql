-- Grain: one row: the first day on which somebody's orders, spend or registration changed; null if on none. A rank
-- among all customers by what they have spent so far depends on every day before it.
with moved_orders as (
    select id, min(to_date(created_at)) as first_date
    from {{ ref('changed_orders') }}
    group by id
    having
        count_if(is_held_before) = 0
        or count_if(is_gone) > 0
        or count(distinct to_date(created_at)) > 1
        or count(distinct coalesce(user_id, -1)) > 1
        or count(distinct iff({{ counts_as_revenue('status') }}, total_amount, null)) > 1
        or count(distinct iff({{ counts_as_revenue('status') }}, 1, 0)) > 1
)

select min(first_date) as date
from (
    select first_date from moved_orders
    union all
    select first_date from {{ ref('moved_users') }}
    union all
    select min(to_date(created_at))
    from {{ ref('base_orders') }}
    where user_id in (select user_id from {{ ref('moved_users') }})
) as moved
