-- Sums behind the daily metrics of the given days, from the speed layer's rows. Grain: one day.
-- Only sums and counts: ratios are made of them in exact decimals, never in the engine.
with
orders as ({orders}),
users as ({users}),
order_items as ({order_items}),
classified as (
    select
        orders.id as id,
        orders.user_id as user_id,
        orders.total_amount as total_amount,
        toDate(orders.created_at) as day,
        orders.status not in ({not_revenue}) as is_revenue,
        orders.status in ({completed}) as is_completed,
        ifNull(toDate(users.created_at) = toDate(orders.created_at), 0) as is_new,
        ifNull(toDate(users.created_at) < toDate(orders.created_at), 0) as is_returning
    from orders
    left join users on orders.user_id = users.id
    where toDate(orders.created_at) in {{days:Array(Date)}}
),
items as (
    select
        classified.day as day,
        sum(order_items.quantity) as total_items_sold,
        uniqExact(order_items.product_id) as unique_products_sold
    from order_items
    inner join classified on order_items.order_id = classified.id
    where classified.is_revenue
    group by day
)
select
    days.day,
    days.new_customers,
    days.returning_customers,
    days.total_active_customers,
    days.total_orders,
    days.completed_orders,
    days.cancelled_orders,
    days.revenue_orders,
    days.total_revenue,
    days.revenue_from_new_customers,
    days.revenue_from_returning_customers,
    ifNull(items.total_items_sold, 0) as total_items_sold,
    ifNull(items.unique_products_sold, 0) as unique_products_sold
from (
    select
        day,
        uniqExactIf(user_id, is_new) as new_customers,
        uniqExactIf(user_id, is_returning) as returning_customers,
        uniqExact(user_id) as total_active_customers,
        count() as total_orders,
        countIf(is_completed) as completed_orders,
        countIf(not is_revenue) as cancelled_orders,
        countIf(is_revenue) as revenue_orders,
        ifNull(sumIf(total_amount, is_revenue), 0) as total_revenue,
        ifNull(sumIf(total_amount, is_revenue and is_new), 0) as revenue_from_new_customers,
        ifNull(sumIf(total_amount, is_revenue and is_returning), 0) as revenue_from_returning_customers
    from classified
    group by day
) as days
left join items on days.day = items.day
order by days.day
settings join_use_nulls = 1
