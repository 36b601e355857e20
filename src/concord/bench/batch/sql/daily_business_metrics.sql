-- Grain: one row per day on which an order was created.
with placed as (
    select
        orders.*,
        orders.created_at::date as date,
        orders.status <> 'cancelled' as is_purchase,
        users.created_at::date = orders.created_at::date as is_new,
        users.created_at::date < orders.created_at::date as is_returning
    from orders
    left join users on orders.user_id = users.id
),

by_day as (
    select
        date,
        count(distinct user_id) filter (is_new) as new_customers,
        count(distinct user_id) filter (is_returning) as returning_customers,
        count(distinct user_id) as active,
        count(*) as total_orders,
        count(*) filter (status in ('shipped', 'delivered')) as completed,
        count(*) filter (not is_purchase) as cancelled,
        count(*) filter (is_purchase) as bought,
        coalesce(sum(total_amount) filter (is_purchase), 0) as revenue,
        coalesce(sum(total_amount) filter (is_purchase and is_new), 0) as from_new,
        coalesce(sum(total_amount) filter (is_purchase and is_returning), 0) as from_returning
    from placed
    group by date
),

sold as (
    select date, sum(quantity) as items, count(distinct product_id) as products from sales group by date
)

select
    by_day.date,
    new_customers,
    returning_customers,
    active as total_active_customers,
    total_orders,
    completed as completed_orders,
    cancelled as cancelled_orders,
    ratio(cents(revenue), bought * 100) as avg_order_value,
    revenue as total_revenue,
    from_new as revenue_from_new_customers,
    from_returning as revenue_from_returning_customers,
    coalesce(items, 0) as total_items_sold,
    coalesce(products, 0) as unique_products_sold,
    coalesce(ratio(new_customers, active), 0) as customer_acquisition_rate,
    coalesce(ratio(completed, total_orders), 0) as order_completion_rate,
    coalesce(ratio(coalesce(items, 0), bought), 0) as average_items_per_order
from by_day
left join sold on by_day.date = sold.date
