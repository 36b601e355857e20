-- The mart has a row for every day with an order, and for no other. Critical.
with order_dates as (
    select distinct to_date(created_at) as date
    from {{ ref('base_orders') }}
),

mart_dates as (
    select date
    from {{ ref('mart_daily_business_metrics') }}
)

select order_dates.date as order_date, mart_dates.date as mart_date
from order_dates
full outer join mart_dates on order_dates.date = mart_dates.date
where order_dates.date is null or mart_dates.date is null
