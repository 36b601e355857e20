-- Grain: one row per product that came, went, or changed its category.
select id as product_id
from {{ ref('changed_products') }}
group by id
having count_if(is_held_before) = 0 or count_if(is_gone) > 0 or count(distinct category) > 1
