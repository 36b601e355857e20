-- Grain: one row per order that came, went, or changed its moment, its customer or what it counts for: the only changes
-- of orders that figures by customer depend on.
select id as order_id, min(to_date(created_at)) as first_date
from {{ ref('changed_orders') }}
group by id
having
    {{ came_or_went() }}
    or count(distinct created_at) > 1
    or count(distinct coalesce(user_id, -1)) > 1
    or count(distinct iff({{ counts_as_revenue('status') }}, total_amount, null)) > 1
    or count(distinct iff({{ counts_as_revenue('status') }}, 1, 0)) > 1
