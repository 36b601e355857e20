-- Grain: one row per order, of any status, guests included. Key: order_id.
{{ config(unique_key='order_id', meta={'dirty': 'dirty_orders', 'on': ['order_id']}) }}

with orders as (
    select *
    from {{ ref('stg_orders_enhanced') }}
    where {{ only_dirty(ref('dirty_orders'), ['id'], ['order_id']) }}
),

users as (
    select * from {{ ref('base_users') }}
),

lines as (
    select
        order_id,
        count(*)::number(38, 0) as lines,
        sum(quantity)::number(38, 0) as items
    from {{ ref('base_order_items') }}
    where {{ only_dirty(ref('dirty_orders'), ['order_id']) }}
    group by order_id
)

select
    orders.id as order_id,
    orders.user_id,
    to_date(orders.created_at) as date,
    orders.status,
    orders.total_amount,
    {{ counts_as_revenue('orders.status') }} as is_revenue,
    {{ is_completed('orders.status') }} as is_completed,
    coalesce(to_date(users.created_at) = to_date(orders.created_at), false) as is_new_customer,
    coalesce(to_date(users.created_at) < to_date(orders.created_at), false) as is_returning_customer,
    orders.is_repeat_customer,
    orders.days_to_fulfillment,
    coalesce(lines.lines, 0)::number(38, 0) as lines,
    coalesce(lines.items, 0)::number(38, 0) as items
from orders
left join users on orders.user_id = users.id
left join lines on orders.id = lines.order_id
