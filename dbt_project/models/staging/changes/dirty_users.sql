-- Grain: one row per user whose figures change: who came, went or registered on another day, whose orders came, went or
-- count for something else, whose order lines changed, before or since, and who bought a product that has another
-- category now.
select user_id from {{ ref('moved_users') }}
union
select user_id
from {{ ref('changed_orders') }}
where user_id is not null and id in (select order_id from {{ ref('moved_orders') }})
union
select orders.user_id
from {{ ref('base_orders') }} as orders
where
    orders.user_id is not null
    and orders.id in (select order_id from {{ ref('changed_order_items') }})
union
select orders.user_id
from {{ ref('base_orders') }} as orders
inner join {{ ref('base_order_items') }} as order_items on orders.id = order_items.order_id
where
    orders.user_id is not null
    and order_items.product_id in (select product_id from {{ ref('recategorised_products') }})
