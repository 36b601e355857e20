-- Grain: one row per product and day to rebuild: where a line or its order was or is, where stock changed, and
-- every later day of the same product: trailing demand and customers who bought it before depend on it.
with touched_lines as (
    select order_id, product_id
    from {{ ref('changed_order_items') }}
    where order_id is not null
    union
    select order_id, product_id
    from {{ ref('base_order_items') }}
    where order_id in (select order_id from {{ ref('moved_orders') }})
),

touched_days as (
    select touched_lines.product_id, days.date
    from touched_lines
    inner join {{ ref('changed_order_days') }} as days on touched_lines.order_id = days.order_id
),

first_days as (
    select product_id, min(date) as date
    from (
        select product_id, date from touched_days
        union all
        select id, to_date(updated_at) from {{ ref('changed_products') }} where not is_held_before and updated_at is not null
    ) as touched
    group by product_id
),

-- Few of all: what is joined with every line should be.
recent_orders as (
    select id, to_date(created_at) as date
    from {{ ref('base_orders') }}
    where to_date(created_at) >= (select min(date) from first_days)
)

select product_id, date from touched_days
union
select order_items.product_id, recent_orders.date
from {{ ref('base_order_items') }} as order_items
inner join first_days on order_items.product_id = first_days.product_id
inner join recent_orders on order_items.order_id = recent_orders.id
where recent_orders.date >= first_days.date
