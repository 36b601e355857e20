-- Grain: one row per cohort (customers by the month of their first order that is not cancelled) and month in which
-- one of them ordered. Key: cohort_month, month.
-- Scope: all cohorts; it is made of customers' days, which are few.
{{ config(
    alias='monthly_cohorts',
    unique_key=['cohort_month', 'month'],
    meta={'stamp': 'created_at', 'is_published': true}
) }}

with customer_months as (
    select
        user_id,
        date_trunc('month', first_date)::date as cohort_month,
        date_trunc('month', date)::date as month,
        sum(revenue)::number(38, 2) as revenue
    from {{ ref('int_customer_days') }}
    group by 1, 2, 3
),

cohorts as (
    select cohort_month, count(distinct user_id)::number(38, 0) as cohort_customers
    from customer_months
    group by cohort_month
),

months as (
    select
        cohort_month,
        month,
        count(*)::number(38, 0) as active_customers,
        sum(revenue)::number(38, 2) as total_revenue
    from customer_months
    group by cohort_month, month
)

select
    months.cohort_month,
    months.month,
    datediff(month, months.cohort_month, months.month)::number(38, 0) as months_since_first_order,
    cohorts.cohort_customers,
    months.active_customers,
    {{ exact_ratio('months.active_customers', 'cohorts.cohort_customers') }} as retention_rate,
    months.total_revenue,
    {{ as_of() }} as created_at
from months
inner join cohorts on months.cohort_month = cohorts.cohort_month
