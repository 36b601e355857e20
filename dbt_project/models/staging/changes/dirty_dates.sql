-- Grain: one row per day whose orders, lines or customers' registration changed: old and new day of each.
select date from {{ ref('changed_order_days') }}
union
select to_date(created_at)
from {{ ref('base_orders') }}
where user_id in (select user_id from {{ ref('moved_users') }})
