-- Revenue of orders that are not cancelled, from {first} up to, not including, {end}. Grain: one day (UTC).
select
    {day} as day,
    sum(case when status <> 'cancelled' then total_amount else 0 end) as revenue
from {orders}
where created_at >= {first} and created_at < {end}
group by {day}
order by {day}
