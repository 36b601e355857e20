-- Grain: one row per day (UTC) on which an order was created. Key: date.
-- An order's lines belong to the order's day. Guests count in totals, in neither new nor returning.
{{ config(alias='daily_business_metrics') }}

with orders as (
    select * from {{ ref('stg_orders_enhanced') }}
),

users as (
    select * from {{ ref('stg_users_enhanced') }}
),

order_items as (
    select * from {{ ref('stg_order_items_enhanced') }}
),

classified as (
    select
        orders.id,
        orders.user_id,
        orders.total_amount,
        to_date(orders.created_at) as date,
        {{ counts_as_revenue('orders.status') }} as is_revenue,
        {{ is_completed('orders.status') }} as is_completed,
        coalesce(to_date(users.created_at) = to_date(orders.created_at), false) as is_new,
        coalesce(to_date(users.created_at) < to_date(orders.created_at), false) as is_returning
    from orders
    left join users on orders.user_id = users.id
),

daily_orders as (
    select
        date,
        count(distinct iff(is_new, user_id, null))::number(38, 0) as new_customers,
        count(distinct iff(is_returning, user_id, null))::number(38, 0) as returning_customers,
        count(distinct user_id)::number(38, 0) as total_active_customers,
        count(*)::number(38, 0) as total_orders,
        count_if(is_completed)::number(38, 0) as completed_orders,
        count_if(not is_revenue)::number(38, 0) as cancelled_orders,
        count_if(is_revenue)::number(38, 0) as revenue_orders,
        sum(iff(is_revenue, total_amount, 0))::number(38, 2) as total_revenue,
        sum(iff(is_revenue and is_new, total_amount, 0))::number(38, 2) as revenue_from_new_customers,
        sum(iff(is_revenue and is_returning, total_amount, 0))::number(38, 2) as revenue_from_returning_customers
    from classified
    group by date
),

daily_items as (
    select
        classified.date,
        sum(order_items.quantity)::number(38, 0) as total_items_sold,
        count(distinct order_items.product_id)::number(38, 0) as unique_products_sold
    from order_items
    inner join classified on order_items.order_id = classified.id
    where classified.is_revenue
    group by classified.date
),

joined as (
    select
        daily_orders.*,
        coalesce(daily_items.total_items_sold, 0)::number(38, 0) as total_items_sold,
        coalesce(daily_items.unique_products_sold, 0)::number(38, 0) as unique_products_sold
    from daily_orders
    left join daily_items on daily_orders.date = daily_items.date
)

select
    date,
    new_customers,
    returning_customers,
    total_active_customers,
    total_orders,
    completed_orders,
    cancelled_orders,
    {{ exact_ratio('total_revenue', 'revenue_orders', scale=2) }} as avg_order_value,
    total_revenue,
    revenue_from_new_customers,
    revenue_from_returning_customers,
    total_items_sold,
    unique_products_sold,
    {{ exact_ratio_or_zero('new_customers', 'total_active_customers') }} as customer_acquisition_rate,
    {{ exact_ratio_or_zero('completed_orders', 'total_orders') }} as order_completion_rate,
    {{ exact_ratio_or_zero('total_items_sold', 'revenue_orders') }} as average_items_per_order,
    {{ as_of() }} as created_at
from joined
