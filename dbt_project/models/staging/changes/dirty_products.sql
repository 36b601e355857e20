-- Grain: one row per product whose demand changes: a line of it did, or an order that holds it.
with touched_orders as (
    select order_id from {{ ref('moved_orders') }}
    union
    select order_id from {{ ref('changed_order_items') }} where order_id is not null
)

select product_id from {{ ref('changed_order_items') }} where product_id is not null
union
select product_id
from {{ ref('base_order_items') }}
where order_id in (select order_id from touched_orders)
