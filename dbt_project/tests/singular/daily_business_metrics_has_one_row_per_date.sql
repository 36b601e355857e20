-- Exactly one row per date, over all dates and not only the last seven days; and some row, where there are orders:
-- an empty mart has no date that could have two. Critical.
select date, count(*) as rows_of_the_date
from {{ ref('mart_daily_business_metrics') }}
group by date
having count(*) <> 1
union all
select null, 0
where
    exists (select 1 from {{ ref('base_orders') }})
    and not exists (select 1 from {{ ref('mart_daily_business_metrics') }})
