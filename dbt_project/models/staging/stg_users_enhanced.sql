-- Grain: one row per user. Key: id.
{{ config(alias='users_enhanced') }}

with users as (
    select * from {{ ref('base_users') }}
),

orders as (
    select * from {{ ref('base_orders') }}
),

spending as (
    select user_id, sum(total_amount)::number(38, 2) as lifetime_spend
    from orders
    where user_id is not null and {{ counts_as_revenue('status') }}
    group by user_id
),

ranked as (
    select
        users.*,
        coalesce(spending.lifetime_spend, 0)::number(38, 2) as lifetime_spend,
        row_number() over (order by coalesce(spending.lifetime_spend, 0) desc, users.id) as spend_rank,
        count(*) over () as customers
    from users
    left join spending on users.id = spending.user_id
)

select
    id,
    email,
    first_name,
    last_name,
    nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '') as full_name,
    created_at,
    updated_at,
    {{ is_valid_email('email') }} as is_valid_email,
    {{ is_filled('email') }} and {{ is_filled('first_name') }} and {{ is_filled('last_name') }} as is_complete_profile,
    {{ customer_tier('spend_rank', 'customers', 'lifetime_spend') }} as customer_tier,
    datediff(day, created_at, {{ as_of() }})::number(38, 0) as days_since_registration,
    {{ as_of() }} as processed_at
from ranked
