-- Grain: one row per day from the first on which somebody's orders, spend or registration changed.
with dates as (
    select distinct to_date(created_at) as date from {{ ref('base_orders') }}
    union
    select date from {{ ref('dirty_dates') }}
)

select dates.date
from dates
inner join {{ ref('first_tier_date') }} as first_moved on dates.date >= first_moved.date
