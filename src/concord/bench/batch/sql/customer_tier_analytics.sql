-- Grain: one row per day on which an order was created and tier. Each day is looked at as it ended: who was a
-- customer by then, what each had bought by then, and the rank that gave.
with days as (
    select distinct created_at::date as date from orders
),

known as (
    select days.date, users.id as user_id, users.created_at::date = days.date as is_new
    from days
    inner join (
        select users.*, least(users.created_at::date, first_purchases.date) as since
        from users
        left join (
            select user_id, min(date) as date from purchases group by user_id
        ) as first_purchases on users.id = first_purchases.user_id
    ) as users on users.since <= days.date
),

standing as (
    select
        user_id,
        date,
        orders,
        revenue,
        min(date) over (partition by user_id) as first_date,
        sum(orders) over so_far as orders_so_far,
        sum(revenue) over so_far as spent_so_far
    from (
        select user_id, date, count(*) as orders, sum(total_amount) as revenue
        from purchases
        where user_id is not null
        group by user_id, date
    )
    window so_far as (partition by user_id order by date)
),

seen as (
    select
        known.date,
        known.user_id,
        known.is_new,
        standing.date as last_date,
        standing.first_date,
        coalesce(standing.orders_so_far, 0) as orders_so_far,
        coalesce(standing.spent_so_far, 0) as spent_so_far,
        if(standing.date = known.date, standing.orders, 0) as orders,
        if(standing.date = known.date, standing.revenue, 0) as revenue,
        count(*) over (partition by known.date) as customers
    from known
    asof left join standing on known.user_id = standing.user_id and known.date >= standing.date
),

ranked as (
    select
        *,
        row_number() over (
            partition by date order by orders_so_far > 0 desc, spent_so_far desc, user_id
        ) as place
    from seen
),

tiered as (
    select *, if(orders_so_far > 0, tier(place, customers, spent_so_far), lowest_tier()) as customer_tier
    from ranked
),

summed as (
    select
        date,
        customer_tier,
        count(*) as customers,
        count(*) filter (is_new) as new_customers,
        count(*) filter (orders > 0) as active,
        coalesce(sum(orders), 0) as orders,
        coalesce(sum(revenue), 0) as revenue,
        count(*) filter (orders_so_far > 0) as buyers,
        count(*) filter (orders_so_far > 1) as repeat_buyers,
        coalesce(sum(orders_so_far - 1) filter (orders_so_far > 0), 0) as gaps,
        coalesce(sum(last_date - first_date) filter (orders_so_far > 1), 0) as days_between,
        sum(spent_so_far) as spent
    from tiered
    group by date, customer_tier
)

select
    days.date,
    tiers.name as customer_tier,
    coalesce(customers, 0) as total_customers,
    coalesce(new_customers, 0) as new_customers,
    coalesce(active, 0) as active_customers,
    coalesce(orders, 0) as total_orders,
    ratio(orders, active) as avg_orders_per_customer,
    ratio(cents(revenue), orders * 100) as avg_order_value,
    coalesce(revenue, 0) as total_revenue,
    ratio(repeat_buyers, buyers) as repeat_purchase_rate,
    ratio(days_between, gaps) as avg_days_between_orders,
    ratio(cents(spent), customers * 100) as customer_lifetime_value
from days
cross join tiers
left join summed on days.date = summed.date and tiers.name = summed.customer_tier
