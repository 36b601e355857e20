-- Grain: one row per day on which the ranking of products is made anew: all products of a day are ranked together.
select date from {{ ref('dirty_product_days') }}
union
select to_date(orders.created_at)
from {{ ref('base_order_items') }} as order_items
inner join {{ ref('base_orders') }} as orders on order_items.order_id = orders.id
where order_items.product_id in (select product_id from {{ ref('relabelled_products') }})
