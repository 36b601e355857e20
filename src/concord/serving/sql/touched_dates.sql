-- Days whose metrics a change after the batch's position can alter. Grain: one day.
-- Old and new day of a changed order, the day of a changed line's order, and every order day of a
-- user whose registration changed. Products are in no daily metric.
with
changed_orders as (select distinct id from orders_changes where {speed_orders} and not {batch_orders}),
changed_items as (select distinct id from order_items_changes where {speed_order_items} and not {batch_order_items}),
changed_users as (
    select id
    from users_changes
    where {speed_users} and id in (select id from users_changes where {speed_users} and not {batch_users})
    group by id
    having uniqExactIf(created_at, __op != 'd') > 1 or max(not {batch_users} and __op = 'd') or not max({batch_users})
),
items_orders as (select distinct order_id from order_items_changes where {speed_order_items} and __op != 'd' and id in changed_items)
select distinct toDate(created_at) as date
from orders_changes
where
    {speed_orders} and __op != 'd'
    and (id in changed_orders or id in items_orders or user_id in changed_users)
order by date
