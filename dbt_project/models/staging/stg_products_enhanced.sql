-- Grain: one row per product. Key: id.
{{ config(alias='products_enhanced') }}

with products as (
    select * from {{ ref('base_products') }}
),

orders as (
    select * from {{ ref('base_orders') }}
),

order_items as (
    select * from {{ ref('base_order_items') }}
),

demand as (
    select order_items.product_id, count(distinct order_items.order_id) as orders
    from order_items
    inner join orders on order_items.order_id = orders.id
    where {{ counts_as_revenue('orders.status') }}
    group by order_items.product_id
),

ranked as (
    select
        products.*,
        coalesce(demand.orders, 0) as orders,
        row_number() over (order by coalesce(demand.orders, 0) desc, products.id) as demand_rank,
        count(*) over () as products
    from products
    left join demand on products.id = demand.product_id
)

select
    id,
    name,
    description,
    price,
    stock_quantity,
    category,
    created_at,
    updated_at,
    {{ price_tier('price') }} as price_tier,
    stock_quantity > 0 as is_in_stock,
    orders > 0 and demand_rank * 100 <= products * {{ var('popular_share') }} as is_popular,
    {{ is_filled('name') }} and {{ is_filled('description') }} and {{ is_filled('category') }} and price > 0
        as has_complete_info,
    {{ as_of() }} as processed_at
from ranked
