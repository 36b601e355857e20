-- Orders and revenue of the mart are those of the change log, read in another way than the models do:
-- the last change per order by a join with its highest offset. Critical.
with held as (
    select id, _partition, _offset, __op, status, total_amount
    from {{ source('raw', 'orders') }}
    where {{ held('orders') }}
),

last_offsets as (
    select id, max(_offset) as _offset
    from held
    group by id
),

raw_totals as (
    select
        count(*) as orders,
        coalesce(sum(iff({{ counts_as_revenue('held.status') }}, held.total_amount, 0)), 0)::number(38, 2) as revenue
    from held
    inner join last_offsets on held.id = last_offsets.id and held._offset = last_offsets._offset
    where held.__op <> 'd'
),

mart_totals as (
    select
        coalesce(sum(total_orders), 0) as orders,
        coalesce(sum(total_revenue), 0)::number(38, 2) as revenue
    from {{ ref('mart_daily_business_metrics') }}
)

select
    raw_totals.orders as raw_orders,
    mart_totals.orders as mart_orders,
    raw_totals.revenue as raw_revenue,
    mart_totals.revenue as mart_revenue
from raw_totals
cross join mart_totals
where raw_totals.orders <> mart_totals.orders or raw_totals.revenue <> mart_totals.revenue
