-- Grain: one row per day (UTC) on which an order was created. Key: date.
-- An order's lines belong to the order's day. Guests count in totals, in neither new nor returning.
{{ config(
    alias='daily_business_metrics',
    unique_key='date',
    meta={'dirty': 'dirty_dates', 'on': ['date'], 'stamp': 'created_at', 'is_published': true}
) }}

with orders as (
    select *
    from {{ ref('int_order_analytics') }}
    where {{ only_dirty(ref('dirty_dates'), ['date']) }}
),

daily_orders as (
    select
        date,
        count(distinct iff(is_new_customer, user_id, null))::number(38, 0) as new_customers,
        count(distinct iff(is_returning_customer, user_id, null))::number(38, 0) as returning_customers,
        count(distinct user_id)::number(38, 0) as total_active_customers,
        count(*)::number(38, 0) as total_orders,
        count_if(is_completed)::number(38, 0) as completed_orders,
        count_if(not is_revenue)::number(38, 0) as cancelled_orders,
        count_if(is_revenue)::number(38, 0) as revenue_orders,
        sum(iff(is_revenue, total_amount, 0))::number(38, 2) as total_revenue,
        sum(iff(is_revenue and is_new_customer, total_amount, 0))::number(38, 2) as revenue_from_new_customers,
        sum(iff(is_revenue and is_returning_customer, total_amount, 0))::number(38, 2)
            as revenue_from_returning_customers,
        sum(iff(is_revenue, items, 0))::number(38, 0) as total_items_sold
    from orders
    group by date
),

daily_products as (
    select orders.date, count(distinct order_items.product_id)::number(38, 0) as unique_products_sold
    from orders
    inner join {{ ref('stg_order_items_enhanced') }} as order_items on orders.order_id = order_items.order_id
    where orders.is_revenue
    group by orders.date
),

joined as (
    select
        daily_orders.*,
        coalesce(daily_products.unique_products_sold, 0)::number(38, 0) as unique_products_sold
    from daily_orders
    left join daily_products on daily_orders.date = daily_products.date
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
