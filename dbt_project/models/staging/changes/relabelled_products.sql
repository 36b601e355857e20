-- Grain: one row per product that came, went, or changed what its order lines show of it: name, category, price, cost.
select id as product_id
from {{ ref('changed_products') }}
group by id
having
    {{ came_or_went() }}
    or count(distinct name) > 1
    or count(distinct category) > 1
    or count(distinct price) > 1
    or count(distinct coalesce(cost, -1)) > 1
