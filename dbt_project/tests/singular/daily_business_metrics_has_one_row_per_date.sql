-- Exactly one row per date, over all dates and not only the last seven days. Critical.
select date, count(*) as rows_of_the_date
from {{ ref('mart_daily_business_metrics') }}
group by date
having count(*) <> 1
