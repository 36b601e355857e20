-- Grain: one row per order line to rebuild: it changed, or what it shows of its product did.
select id from {{ ref('changed_order_items') }}
union
select id
from {{ ref('base_order_items') }}
where product_id in (select product_id from {{ ref('relabelled_products') }})
