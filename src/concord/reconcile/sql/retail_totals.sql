-- Totals of the orders placed from {first} up to, not including, {end}. Grain: one row.
-- Plain SQL that PostgreSQL, ClickHouse, DuckDB and Snowflake read alike.
with
placed as (select * from {orders} where created_at >= {first} and created_at < {end}),
lines as (
    select
        items.quantity as quantity,
        items.unit_price as unit_price,
        placed.user_id as user_id,
        placed.status as status
    from {order_items} items
    inner join placed on items.order_id = placed.id
),
by_line as (
    select
        count(*) as line_count,
        sum(case when user_id is null then 1 else 0 end) as without_customer,
        sum(case when unit_price <= 0 then 1 else 0 end) as zero_or_less,
        sum(case when status <> 'cancelled' then quantity * unit_price else 0 end) as revenue,
        sum(case when status = 'cancelled' then quantity * unit_price else 0 end) as cancelled
    from lines
),
by_order as (
    select
        count(*) as order_count,
        sum(case when status = 'cancelled' then 1 else 0 end) as cancelled_count
    from placed
),
customers as (select count(*) as customer_count from {users} where created_at >= {first} and created_at < {end}),
articles as (select count(*) as article_count from {products} where created_at >= {first} and created_at < {end})
select
    line_count,
    order_count,
    cancelled_count,
    customer_count,
    article_count,
    without_customer,
    zero_or_less,
    revenue,
    cancelled
from by_line cross join by_order cross join customers cross join articles
