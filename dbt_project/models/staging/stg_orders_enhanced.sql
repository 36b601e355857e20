-- Grain: one row per order, of any status, guests included. Key: id.
{{ config(alias='orders_enhanced') }}

with orders as (
    select * from {{ ref('base_orders') }}
),

order_items as (
    select * from {{ ref('base_order_items') }}
),

-- When an order was first seen delivered: its current row may have been touched again since.
deliveries as (
    select id as order_id, min(updated_at) as delivered_at
    from {{ source('raw', 'orders') }}
    where __op <> 'd' and status = 'delivered' and {{ held('orders') }}
    group by id
),

line_counts as (
    select order_id, count(*) as lines
    from order_items
    group by order_id
),

joined as (
    select
        orders.*,
        iff(orders.status = 'delivered', deliveries.delivered_at, null) as delivered_at,
        coalesce(line_counts.lines, 0) as lines,
        row_number() over (partition by orders.user_id order by orders.created_at, orders.id) as order_number
    from orders
    left join deliveries on orders.id = deliveries.order_id
    left join line_counts on orders.id = line_counts.order_id
)

select
    id,
    user_id,
    status,
    total_amount,
    shipping_address,
    created_at,
    updated_at,
    {{ order_size('total_amount') }} as order_size_category,
    datediff(day, created_at, delivered_at)::number(38, 0) as days_to_fulfillment,
    user_id is not null and order_number > 1 as is_repeat_customer,
    coalesce(total_amount >= 0 and lines > 0 and {{ is_known_status('status') }}, false) as is_valid_order,
    {{ is_filled('shipping_address') }} as has_shipping_address,
    {{ as_of() }} as processed_at
from joined
