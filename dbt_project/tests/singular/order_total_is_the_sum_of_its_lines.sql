-- An order's total is the sum over its lines. Source data, and lines may reach the lake after their order, so this warns.
{{ config(severity='warn') }}

with line_sums as (
    select order_id, sum(line_total)::number(38, 2) as line_total
    from {{ ref('stg_order_items_enhanced') }}
    group by order_id
)

select orders.id, orders.total_amount, line_sums.line_total
from {{ ref('stg_orders_enhanced') }} as orders
left join line_sums on orders.id = line_sums.order_id
where orders.total_amount <> coalesce(line_sums.line_total, 0)
