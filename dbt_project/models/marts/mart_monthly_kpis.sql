-- Grain: one row per month (UTC) in which an order was created. Key: month, its first day.
-- Scope: all months; it is made of days and customers' days, which are few.
{{ config(alias='monthly_kpis', unique_key='month', meta={'stamp': 'created_at', 'is_published': true}) }}

with orders as (
    select
        date_trunc('month', date)::date as month,
        sum(total_orders)::number(38, 0) as total_orders,
        sum(completed_orders)::number(38, 0) as completed_orders,
        sum(cancelled_orders)::number(38, 0) as cancelled_orders,
        sum(total_revenue)::number(38, 2) as total_revenue
    from {{ ref('mart_daily_business_metrics') }}
    group by 1
),

customer_months as (
    select distinct
        user_id,
        date_trunc('month', date)::date as month,
        date_trunc('month', first_date)::date as first_month
    from {{ ref('int_customer_days') }}
),

customers as (
    select
        this_month.month,
        count(*)::number(38, 0) as active_customers,
        count_if(this_month.first_month = this_month.month)::number(38, 0) as acquired_customers,
        count(month_before.user_id)::number(38, 0) as retained_customers
    from customer_months as this_month
    left join customer_months as month_before
        on
            this_month.user_id = month_before.user_id
            and month_before.month = dateadd(month, -1, this_month.month)
    group by this_month.month
),

registrations as (
    select date_trunc('month', created_at)::date as month, count(*)::number(38, 0) as registered_customers
    from {{ ref('base_users') }}
    group by 1
),

joined as (
    select
        orders.*,
        orders_before.total_revenue as revenue_before,
        coalesce(registrations.registered_customers, 0)::number(38, 0) as registered_customers,
        coalesce(customers.active_customers, 0)::number(38, 0) as active_customers,
        coalesce(customers.acquired_customers, 0)::number(38, 0) as acquired_customers,
        coalesce(customers.retained_customers, 0)::number(38, 0) as retained_customers,
        coalesce(customers_before.active_customers, 0)::number(38, 0) as customers_before
    from orders
    left join orders as orders_before on orders_before.month = dateadd(month, -1, orders.month)
    left join registrations on orders.month = registrations.month
    left join customers on orders.month = customers.month
    left join customers as customers_before on customers_before.month = dateadd(month, -1, orders.month)
)

select
    month,
    total_orders,
    completed_orders,
    cancelled_orders,
    total_revenue,
    {{ exact_ratio('total_revenue', '(total_orders - cancelled_orders)', scale=2) }} as avg_order_value,
    {{ exact_ratio(
        '((total_revenue - revenue_before) * 100)',
        'iff(revenue_before > 0, (revenue_before * 100)::number(38, 0), null)'
    ) }} as revenue_growth_rate,
    registered_customers,
    active_customers,
    acquired_customers,
    (active_customers - acquired_customers)::number(38, 0) as returning_customers,
    retained_customers,
    (customers_before - retained_customers)::number(38, 0) as churned_customers,
    {{ exact_ratio('acquired_customers', 'active_customers') }} as acquisition_rate,
    {{ exact_ratio('retained_customers', 'customers_before') }} as retention_rate,
    {{ as_of() }} as created_at
from joined
