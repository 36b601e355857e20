-- Grain: one row per order line. Key: id.
{{ config(
    alias='order_items_enhanced',
    unique_key='id',
    meta={'dirty': 'dirty_order_items', 'on': ['id'], 'stamp': 'processed_at', 'is_published': true}
) }}

with order_items as (
    select *
    from {{ ref('base_order_items') }}
    where {{ only_dirty(ref('dirty_order_items'), ['id']) }}
),

products as (
    select * from {{ ref('base_products') }}
)

select
    order_items.id,
    order_items.order_id,
    order_items.product_id,
    order_items.quantity,
    order_items.unit_price,
    (order_items.quantity * order_items.unit_price)::number(38, 2) as line_total,
    order_items.created_at,
    products.name as product_name,
    products.category as product_category,
    (order_items.quantity * (products.price - order_items.unit_price))::number(38, 2) as discount_amount,
    (order_items.quantity * (order_items.unit_price - products.cost))::number(38, 2) as margin_amount,
    {{ as_of() }} as processed_at
from order_items
left join products on order_items.product_id = products.id
