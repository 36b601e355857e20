-- Grain: one row per product that came, went, or changed what its order lines show of it: name, category, price, cost.
select id as product_id
from {{ ref('changed_products') }}
group by id
having
    count_if(is_held_before) = 0
    or count_if(is_gone) > 0
    or count(distinct name) > 1
    or count(distinct category) > 1
    or count(distinct price) > 1
    or count(distinct coalesce(cost, -1)) > 1
