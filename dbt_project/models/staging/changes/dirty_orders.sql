-- Grain: one row per order to rebuild: it changed, a line of it did, or its customer's registration did. Whether it is
-- a customer's first hangs on the others; of those that did not change, only the earliest was it or has become it.
with unchanged as (
    select id, user_id, created_at
    from {{ ref('base_orders') }}
    where
        user_id in (
            select user_id
            from {{ ref('changed_orders') }}
            where id in (select order_id from {{ ref('moved_orders') }})
        )
        and id not in (select id from {{ ref('changed_orders') }})
)

select id as order_id from {{ ref('changed_orders') }}
union
select order_id from {{ ref('changed_order_items') }} where order_id is not null
union
select id
from {{ ref('base_orders') }}
where user_id in (select user_id from {{ ref('moved_users') }})
union
select id
from (
    select id
    from unchanged
    qualify row_number() over (partition by user_id order by created_at, id) = 1
) as earliest
