-- Grain: one row per order, of any status.
with deliveries as (
    select id, min(updated_at) as delivered_at
    from orders_log
    where __op <> 'd' and status = 'delivered'
    group by id
),

counted as (
    select order_id, count(*) as lines from order_items group by order_id
),

first_orders as (
    select user_id, arg_min(id, (created_at, id)) as id from orders where user_id is not null group by user_id
)

select
    orders.id,
    orders.user_id,
    orders.status,
    orders.total_amount,
    orders.shipping_address,
    orders.created_at,
    orders.updated_at,
    band('order_sizes', orders.total_amount) as order_size_category,
    if(orders.status = 'delivered', deliveries.delivered_at::date - orders.created_at::date, null)
        as days_to_fulfillment,
    coalesce(first_orders.id <> orders.id, false) as is_repeat_customer,
    orders.total_amount >= 0 and counted.lines is not null as is_valid_order,
    is_filled(orders.shipping_address) as has_shipping_address
from orders
left join deliveries on orders.id = deliveries.id
left join counted on orders.id = counted.order_id
left join first_orders on orders.user_id = first_orders.user_id
