-- Grain: one row per product and place in its list: first what is bought together beyond chance, then what is popular.
with lines as (
    select distinct order_id, product_id from sales
),

baskets as (
    select * from lines qualify count(*) over (partition by order_id) <= getvariable('max_basket')
),

total as (
    select count(distinct order_id) as orders from baskets
),

demand as (
    select product_id, count(*) as orders from baskets group by product_id
),

pairs as (
    select one.product_id, other.product_id as other_id, count(*) as together
    from baskets as one
    inner join baskets as other on one.order_id = other.order_id and one.product_id <> other.product_id
    group by 1, 2
    having count(*) >= getvariable('min_orders_together')
),

chosen as (
    select
        pairs.*,
        row_number() over (partition by pairs.product_id order by together desc, other_id) as place
    from pairs
    inner join demand on pairs.product_id = demand.product_id
    inner join demand as others on pairs.other_id = others.product_id
    cross join total
    where together * total.orders > demand.orders * others.orders
    qualify place <= getvariable('recommendations')
),

popular as (
    select product_id, row_number() over (order by orders desc, product_id) as place
    from demand
    qualify place <= 2 * getvariable('recommendations') + 1
),

candidates as (
    select product_id, other_id, together, place from chosen
    union all
    select products.id, popular.product_id, null, getvariable('recommendations') + popular.place
    from products
    cross join popular
    where
        popular.product_id <> products.id
        and not exists (
            select 1 from chosen
            where chosen.product_id = products.id and chosen.other_id = popular.product_id
        )
),

listed as (
    select *, row_number() over (partition by product_id order by place) as list_place
    from candidates
    qualify list_place <= getvariable('recommendations')
)

select
    listed.product_id,
    list_place as recommendation_rank,
    other_id as recommended_product_id,
    if(together is null, 'popularity', 'bought together') as basis,
    together as orders_together,
    ratio(together, total.orders) as support,
    ratio(together, demand.orders) as confidence,
    ratio(together * total.orders, demand.orders * others.orders) as lift
from listed
cross join total
left join demand on listed.product_id = demand.product_id
left join demand as others on listed.other_id = others.product_id
