-- Grain: one row per order that changed, or whose lines did, and day on which it was or is.
with touched_orders as (
    select id as order_id from {{ ref('changed_orders') }}
    union
    select order_id from {{ ref('changed_order_items') }} where order_id is not null
)

select id as order_id, to_date(created_at) as date
from {{ ref('changed_orders') }}
where created_at is not null
union
select id, to_date(created_at)
from {{ ref('base_orders') }}
where id in (select order_id from touched_orders)
