-- Grain: one row per order, of any status, guests included. Key: id.
{{ config(
    alias='orders_enhanced',
    unique_key='id',
    meta={'dirty': 'dirty_orders', 'on': ['id'], 'by': ['order_id'], 'stamp': 'processed_at', 'is_published': true}
) }}

with orders as (
    select *
    from {{ ref('base_orders') }}
    where {{ only_dirty(ref('dirty_orders'), ['id'], ['order_id']) }}
),

-- When an order was first seen delivered: its current row may have been touched again since.
deliveries as (
    select id as order_id, min(updated_at) as delivered_at
    from {{ source('raw', 'orders') }}
    where
        __op <> 'd'
        and status = 'delivered'
        and {{ held('orders') }}
        and {{ only_dirty(ref('dirty_orders'), ['id'], ['order_id']) }}
    group by id
),

line_counts as (
    select order_id, count(*) as lines
    from {{ ref('base_order_items') }}
    where {{ only_dirty(ref('dirty_orders'), ['order_id']) }}
    group by order_id
),

-- All orders of a customer are dirty together, so that their numbers are counted over all of them.
numbered as (
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
    numbered.id,
    numbered.user_id,
    numbered.status,
    numbered.total_amount,
    numbered.shipping_address,
    numbered.created_at,
    numbered.updated_at,
    order_sizes.order_size_category,
    datediff(day, numbered.created_at, numbered.delivered_at)::number(38, 0) as days_to_fulfillment,
    numbered.user_id is not null and numbered.order_number > 1 as is_repeat_customer,
    coalesce(numbered.total_amount >= 0 and numbered.lines > 0 and {{ is_known_status('numbered.status') }}, false)
        as is_valid_order,
    {{ is_filled('numbered.shipping_address') }} as has_shipping_address,
    {{ as_of() }} as processed_at
from numbered
left join {{ ref('order_sizes') }} as order_sizes on {{ is_in_band('numbered.total_amount', 'order_sizes') }}
