-- Grain: one row per user. Key: id.
-- Scope: all users, for a rank depends on everybody's spend and days_since_registration on as_of.
{{ config(alias='users_enhanced', unique_key='id', meta={'stamp': 'processed_at', 'is_published': true}) }}

with users as (
    select * from {{ ref('base_users') }}
),

spending as (
    select * from {{ ref('base_spending') }}
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
    ranked.id,
    ranked.email,
    ranked.first_name,
    ranked.last_name,
    nullif(trim(coalesce(ranked.first_name, '') || ' ' || coalesce(ranked.last_name, '')), '') as full_name,
    ranked.created_at,
    ranked.updated_at,
    {{ is_valid_email('ranked.email') }} as is_valid_email,
    {{ is_filled('ranked.email') }} and {{ is_filled('ranked.first_name') }} and {{ is_filled('ranked.last_name') }}
        as is_complete_profile,
    {{ customer_tier('tiers', 'ranked.lifetime_spend') }} as customer_tier,
    datediff(day, ranked.created_at, {{ as_of() }})::number(38, 0) as days_since_registration,
    {{ as_of() }} as processed_at
from ranked
left join {{ ref('customer_tiers') }} as tiers
    on {{ is_ranked_within('ranked.spend_rank', 'ranked.customers', 'tiers') }}
