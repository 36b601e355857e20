-- Grain: one row per product. Popular are the first fifth by number of orders.
with ranked as (
    select
        products.*,
        coalesce(demand.orders, 0) as orders,
        row_number() over (order by coalesce(demand.orders, 0) desc, products.id) as place,
        count(*) over () as number
    from products
    left join (
        select product_id, count(distinct order_id) as orders from sales group by product_id
    ) as demand on products.id = demand.product_id
)

select
    id,
    name,
    description,
    price,
    stock_quantity,
    category,
    created_at,
    updated_at,
    band('price_tiers', price) as price_tier,
    stock_quantity > 0 as is_in_stock,
    orders > 0 and place * 100 <= number * getvariable('popular_share') as is_popular,
    is_filled(name) and is_filled(description) and is_filled(category) and price > 0 as has_complete_info
from ranked
