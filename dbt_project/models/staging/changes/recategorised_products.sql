-- Grain: one row per product that came, went, or changed its category.
select id as product_id
from {{ ref('changed_products') }}
group by id
having {{ came_or_went() }} or count(distinct category) > 1
