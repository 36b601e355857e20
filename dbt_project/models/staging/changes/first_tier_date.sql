-- Grain: one row: the first day on which somebody's orders, spend or registration changed; null if on none. A rank
-- among all customers by what they have spent so far depends on every day before it.
select min(first_date) as date
from (
    select first_date from {{ ref('moved_orders') }}
    union all
    select first_date from {{ ref('moved_users') }}
    union all
    select min(to_date(created_at))
    from {{ ref('base_orders') }}
    where user_id in (select user_id from {{ ref('moved_users') }})
) as moved
