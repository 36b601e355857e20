-- Grain: one row per customer, as of the last change.
with bought as (
    select
        user_id,
        count(*) as orders,
        sum(total_amount) as spent,
        min(date) as first_date,
        max(date) as last_date
    from purchases
    group by user_id
),

items as (
    select user_id, sum(quantity) as items from sales group by user_id
),

favorites as (
    select user_id, arg_min(category, (-items, category)) as category
    from (
        select sales.user_id, products.category, sum(sales.quantity) as items
        from sales
        inner join products on sales.product_id = products.id
        group by 1, 2
    )
    group by user_id
),

seen as (
    select
        users.*,
        bought.*,
        items.items,
        favorites.category,
        getvariable('as_of')::date - bought.last_date as since_last,
        greatest(getvariable('as_of')::date - bought.first_date, getvariable('ltv_minimum_days')) as observed
    from users_enhanced as users
    left join bought on users.id = bought.user_id
    left join items on users.id = items.user_id
    left join favorites on users.id = favorites.user_id
)

select
    id as customer_id,
    email,
    full_name,
    created_at::date as registration_date,
    days_since_registration,
    first_date as first_order_date,
    last_date as last_order_date,
    coalesce(orders, 0) as total_orders,
    coalesce(spent, 0) as total_spent,
    ratio(cents(spent), orders * 100) as avg_order_value,
    ratio(last_date - first_date, orders - 1) as avg_days_between_orders,
    category as favorite_category,
    coalesce(items, 0) as total_items_purchased,
    customer_tier,
    coalesce(since_last <= getvariable('active_days'), false) as is_active,
    coalesce(since_last >= getvariable('at_risk_days'), false) as is_at_risk,
    if(
        orders is null or since_last >= getvariable('at_risk_days'),
        coalesce(spent, 0)::decimal(18, 4),
        ratio(cents(spent) * (observed + getvariable('ltv_days')), observed * 100)
    ) as predicted_ltv
from seen
