-- Grain: one row per day and product that was sold on it.
with sold as (
    select product_id, date, sum(quantity) as units, sum(quantity * unit_price) as revenue
    from sales
    group by product_id, date
),

buyers as (
    select product_id, date, count(*) as customers, count(*) filter (first_date < date) as again
    from (
        select distinct product_id, date, user_id, min(date) over (partition by product_id, user_id) as first_date
        from sales
        where user_id is not null
    )
    group by product_id, date
),

paced as (
    select
        sold.*,
        sum(units) over (
            partition by product_id order by date
            range between to_days(getvariable('demand_days') - 1) preceding and current row
        ) as recent_units
    from sold
),

stock as (
    select id as product_id, updated_at::date as date, arg_max(stock_quantity, _offset) as stock
    from products_log
    where __op <> 'd'
    group by 1, 2
),

stocked as (
    select paced.*, stock.stock
    from paced
    asof left join stock on paced.product_id = stock.product_id and paced.date >= stock.date
),

ranked as (
    select
        stocked.*,
        products.name,
        products.category,
        rank() over (partition by date, products.category order by revenue desc) as revenue_rank,
        rank() over (partition by date, products.category order by units desc) as units_rank,
        count(*) over (partition by date, products.category) as peers
    from stocked
    left join products on stocked.product_id = products.id
)

select
    ranked.date,
    ranked.product_id,
    name as product_name,
    category,
    units as units_sold,
    revenue as total_revenue,
    if(units > 0, ratio(cents(revenue), units * 100), null) as avg_selling_price,
    coalesce(customers, 0) as unique_customers,
    coalesce(again, 0) as repeat_customers,
    revenue_rank as revenue_rank_in_category,
    units_rank as units_rank_in_category,
    (revenue_rank - 1) * 100 < peers * getvariable('top_performer_share') as is_top_performer,
    stock as current_stock_level,
    if(recent_units > 0, stock * getvariable('demand_days') // recent_units, null) as days_of_inventory_remaining
from ranked
left join buyers on ranked.product_id = buyers.product_id and ranked.date = buyers.date
