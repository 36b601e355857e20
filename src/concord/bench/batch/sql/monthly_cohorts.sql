-- Grain: one row per month of a first purchase and month in which one of those customers bought.
with bought as (
    select
        user_id,
        date_trunc('month', date)::date as month,
        date_trunc('month', min(date) over (partition by user_id))::date as cohort,
        total_amount
    from purchases
    where user_id is not null
),

cohorts as (
    select cohort, count(distinct user_id) as customers from bought group by cohort
)

select
    bought.cohort as cohort_month,
    bought.month,
    date_diff('month', bought.cohort, bought.month) as months_since_first_order,
    any_value(cohorts.customers) as cohort_customers,
    count(distinct user_id) as active_customers,
    ratio(count(distinct user_id), any_value(cohorts.customers)) as retention_rate,
    sum(total_amount) as total_revenue
from bought
inner join cohorts on bought.cohort = cohorts.cohort
group by bought.cohort, bought.month
