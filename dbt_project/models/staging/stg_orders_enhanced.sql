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

-- Among all orders of a customer, of which not all are dirty.
first_orders as (
    select id as order_id
    from {{ ref('base_orders') }}
    where user_id is not null and {{ only_dirty('orders', ['user_id']) }}
    qualify row_number() over (partition by user_id order by created_at, id) = 1
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

measured as (
    select
        orders.*,
        iff(orders.status = 'delivered', deliveries.delivered_at, null) as delivered_at,
        coalesce(line_counts.lines, 0) as lines,
        orders.user_id is not null and first_orders.order_id is null as is_repeat_customer
    from orders
    left join first_orders on orders.id = first_orders.order_id
    left join deliveries on orders.id = deliveries.order_id
    left join line_counts on orders.id = line_counts.order_id
)

select
    measured.id,
    measured.user_id,
    measured.status,
    measured.total_amount,
    measured.shipping_address,
    measured.created_at,
    measured.updated_at,
    order_sizes.order_size_category,
    datediff(day, measured.created_at, measured.delivered_at)::number(38, 0) as days_to_fulfillment,
    measured.is_repeat_customer,
    coalesce(measured.total_amount >= 0 and measured.lines > 0 and {{ is_known_status('measured.status') }}, false)
        as is_valid_order,
    {{ is_filled('measured.shipping_address') }} as has_shipping_address,
    {{ as_of() }} as processed_at
from measured
left join {{ ref('order_sizes') }} as order_sizes on {{ is_in_band('measured.total_amount', 'order_sizes') }}
