-- Grain: one row per pair of products, in either order, that a changed basket held or holds.
with touched_orders as (
    select order_id from {{ ref('moved_orders') }}
    union
    select order_id from {{ ref('changed_order_items') }} where order_id is not null
),

touched_lines as (
    select order_id, product_id
    from {{ ref('changed_order_items') }}
    where order_id is not null
    union
    select order_id, product_id
    from {{ ref('base_order_items') }}
    where order_id in (select order_id from touched_orders)
)

select distinct one.product_id, other.product_id as other_product_id
from touched_lines as one
inner join touched_lines as other on one.order_id = other.order_id and one.product_id <> other.product_id
