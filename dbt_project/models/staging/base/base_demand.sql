-- Grain: one row per product that an order which is not cancelled holds. Key: product_id.
{{ config(unique_key='product_id', meta={'dirty': 'dirty_products', 'on': ['product_id']}) }}

select order_items.product_id, count(distinct order_items.order_id)::number(38, 0) as orders
from {{ ref('base_order_items') }} as order_items
inner join {{ ref('base_orders') }} as orders on order_items.order_id = orders.id
where
    {{ counts_as_revenue('orders.status') }}
    and {{ only_dirty(ref('dirty_products'), ['order_items.product_id'], ['product_id']) }}
group by order_items.product_id
