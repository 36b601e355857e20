-- Grain: one row per order and product in it. Key: order_id, product_id.
-- Orders that are not cancelled and hold at most max_basket products: larger ones are a trader's stock, not a taste.
{{ config(unique_key=['order_id', 'product_id'], meta={'dirty': 'dirty_orders', 'on': ['order_id']}) }}

with lines as (
    select distinct order_id, product_id
    from {{ ref('base_order_items') }}
    where {{ only_dirty(ref('dirty_orders'), ['order_id']) }}
),

sized as (
    select order_id, product_id, count(*) over (partition by order_id) as products
    from lines
)

select sized.order_id, sized.product_id
from sized
inner join {{ ref('int_order_analytics') }} as orders on sized.order_id = orders.order_id
where orders.is_revenue and sized.products <= {{ var('max_basket') }}
