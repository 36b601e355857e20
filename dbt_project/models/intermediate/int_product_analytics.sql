-- Grain: one row per product and day on which an order that is not cancelled held it. Key: product_id, date.
{{ config(
    unique_key=['product_id', 'date'],
    meta={'dirty': 'dirty_product_days', 'on': ['product_id', 'date']}
) }}

with lines as (
    select
        order_items.product_id,
        orders.date,
        orders.user_id,
        order_items.quantity,
        (order_items.quantity * order_items.unit_price)::number(38, 2) as line_total
    from {{ ref('base_order_items') }} as order_items
    inner join {{ ref('int_order_analytics') }} as orders on order_items.order_id = orders.order_id
    where
        orders.is_revenue
        and {{ only_dirty(ref('dirty_product_days'), ['order_items.product_id'], ['product_id']) }}
),

sales as (
    select
        product_id,
        date,
        sum(quantity)::number(38, 0) as units_sold,
        sum(line_total)::number(38, 2) as total_revenue
    from lines
    group by product_id, date
),

customers as (
    select product_id, user_id, date, min(date) over (partition by product_id, user_id) as first_date
    from lines
    where user_id is not null
    group by product_id, user_id, date
),

customer_counts as (
    select
        product_id,
        date,
        count(*)::number(38, 0) as unique_customers,
        count_if(first_date < date)::number(38, 0) as repeat_customers
    from customers
    group by product_id, date
),

trailing as (
    select sales.product_id, sales.date, sum(recent.units_sold)::number(38, 0) as recent_units_sold
    from sales
    inner join sales as recent
        on
            sales.product_id = recent.product_id
            and recent.date <= sales.date
            and recent.date > dateadd(day, -{{ var('demand_days') }}, sales.date)
    group by sales.product_id, sales.date
),

-- The stock that the shop had last set by the end of the day; unknown before the first version held.
stock_versions as (
    select id as product_id, to_date(updated_at) as date, stock_quantity, _offset
    from {{ source('raw', 'products') }}
    where
        __op <> 'd'
        and {{ held('products') }}
        and {{ only_dirty(ref('dirty_product_days'), ['id'], ['product_id']) }}
    qualify row_number() over (partition by id, to_date(updated_at) order by _offset desc) = 1
),

stock as (
    select sales.product_id, sales.date, stock_versions.stock_quantity as stock_level
    from sales
    inner join stock_versions
        on sales.product_id = stock_versions.product_id and stock_versions.date <= sales.date
    qualify row_number() over (partition by sales.product_id, sales.date order by stock_versions._offset desc) = 1
)

select
    sales.product_id,
    sales.date,
    sales.units_sold,
    sales.total_revenue,
    coalesce(customer_counts.unique_customers, 0)::number(38, 0) as unique_customers,
    coalesce(customer_counts.repeat_customers, 0)::number(38, 0) as repeat_customers,
    trailing.recent_units_sold,
    stock.stock_level
from sales
left join customer_counts on sales.product_id = customer_counts.product_id and sales.date = customer_counts.date
left join trailing on sales.product_id = trailing.product_id and sales.date = trailing.date
left join stock on sales.product_id = stock.product_id and sales.date = stock.date
where {{ only_dirty(ref('dirty_product_days'), ['sales.product_id', 'sales.date'], ['product_id', 'date']) }}
