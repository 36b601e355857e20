-- Grain: one row per order to rebuild: it changed, a line of it did, or its customer's orders or registration did,
-- for which order of a customer it is depends on the others.
select id as order_id from {{ ref('changed_orders') }}
union
select order_id from {{ ref('changed_order_items') }} where order_id is not null
union
select id
from {{ ref('base_orders') }}
where user_id in (select user_id from {{ ref('dirty_users') }})
