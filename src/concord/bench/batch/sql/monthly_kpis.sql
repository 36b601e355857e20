-- Grain: one row per month in which an order was created.
with placed as (
    select
        date_trunc('month', created_at::date)::date as month,
        count(*) as orders,
        count(*) filter (status in ('shipped', 'delivered')) as completed,
        count(*) filter (status = 'cancelled') as cancelled,
        coalesce(sum(total_amount) filter (status <> 'cancelled'), 0) as revenue
    from orders
    group by 1
),

active as (
    select distinct
        user_id,
        date_trunc('month', date)::date as month,
        date_trunc('month', min(date) over (partition by user_id))::date as first_month
    from purchases
    where user_id is not null
),

customers as (
    select
        now.month,
        count(*) as active,
        count(*) filter (now.first_month = now.month) as acquired,
        count(before.user_id) as retained
    from active as now
    left join active as before
        on now.user_id = before.user_id and before.month = now.month - interval 1 month
    group by now.month
),

registrations as (
    select date_trunc('month', created_at::date)::date as month, count(*) as customers from users group by 1
)

select
    placed.month,
    placed.orders as total_orders,
    placed.completed as completed_orders,
    placed.cancelled as cancelled_orders,
    placed.revenue as total_revenue,
    ratio(cents(placed.revenue), (placed.orders - placed.cancelled) * 100) as avg_order_value,
    if(before.revenue > 0, ratio(cents(placed.revenue - before.revenue), cents(before.revenue)), null)
        as revenue_growth_rate,
    coalesce(registrations.customers, 0) as registered_customers,
    coalesce(customers.active, 0) as active_customers,
    coalesce(customers.acquired, 0) as acquired_customers,
    coalesce(customers.active - customers.acquired, 0) as returning_customers,
    coalesce(customers.retained, 0) as retained_customers,
    coalesce(customers_before.active, 0) - coalesce(customers.retained, 0) as churned_customers,
    ratio(coalesce(customers.acquired, 0), coalesce(customers.active, 0)) as acquisition_rate,
    ratio(coalesce(customers.retained, 0), coalesce(customers_before.active, 0)) as retention_rate
from placed
left join placed as before on before.month = placed.month - interval 1 month
left join customers on placed.month = customers.month
left join customers as customers_before on customers_before.month = placed.month - interval 1 month
left join registrations on placed.month = registrations.month
