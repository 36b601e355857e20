-- Grain: one row per user. Key: customer_id.
-- Orders are summed before lines are joined: a join first would count an order's total once per line.
{{ config(unique_key='customer_id', meta={'dirty': 'dirty_users', 'on': ['customer_id'], 'by': ['user_id']}) }}

with users as (
    select *
    from {{ ref('base_users') }}
    where {{ only_dirty(ref('dirty_users'), ['id'], ['user_id']) }}
),

orders as (
    select order_id, user_id, date, total_amount
    from {{ ref('int_order_analytics') }}
    where is_revenue and {{ only_dirty(ref('dirty_users'), ['user_id']) }}
),

spending as (
    select
        user_id,
        count(*)::number(38, 0) as total_orders,
        sum(total_amount)::number(38, 2) as total_spent,
        min(date) as first_order_date,
        max(date) as last_order_date
    from orders
    group by user_id
),

lines as (
    select orders.user_id, order_items.product_id, order_items.product_category, order_items.quantity
    from orders
    inner join {{ ref('stg_order_items_enhanced') }} as order_items on orders.order_id = order_items.order_id
),

purchases as (
    select
        user_id,
        sum(quantity)::number(38, 0) as total_items_purchased,
        count(distinct product_id)::number(38, 0) as unique_products_purchased
    from lines
    group by user_id
),

categories as (
    select user_id, product_category, sum(quantity) as items
    from lines
    where product_category is not null
    group by user_id, product_category
),

favorites as (
    select user_id, product_category as favorite_category
    from categories
    qualify row_number() over (partition by user_id order by items desc, product_category) = 1
)

select
    users.id as customer_id,
    coalesce(spending.total_orders, 0)::number(38, 0) as total_orders,
    coalesce(spending.total_spent, 0)::number(38, 2) as total_spent,
    spending.first_order_date,
    spending.last_order_date,
    datediff(day, spending.first_order_date, spending.last_order_date)::number(38, 0) as days_from_first_to_last_order,
    coalesce(purchases.total_items_purchased, 0)::number(38, 0) as total_items_purchased,
    coalesce(purchases.unique_products_purchased, 0)::number(38, 0) as unique_products_purchased,
    favorites.favorite_category
from users
left join spending on users.id = spending.user_id
left join purchases on users.id = purchases.user_id
left join favorites on users.id = favorites.user_id
