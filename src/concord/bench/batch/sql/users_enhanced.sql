-- Grain: one row per user. Tier by rank of what everybody has spent.
with ranked as (
    select
        users.*,
        coalesce(spending.spent, 0) as spent,
        row_number() over (order by coalesce(spending.spent, 0) desc, users.id) as place,
        count(*) over () as customers
    from users
    left join (
        select user_id, sum(total_amount) as spent from purchases group by user_id
    ) as spending on users.id = spending.user_id
)

select
    id,
    email,
    first_name,
    last_name,
    nullif(trim(concat(first_name, ' ', last_name)), '') as full_name,
    created_at,
    updated_at,
    coalesce(regexp_full_match(email, getvariable('email_pattern')), false) as is_valid_email,
    is_filled(email) and is_filled(first_name) and is_filled(last_name) as is_complete_profile,
    tier(place, customers, spent) as customer_tier,
    getvariable('as_of')::date - created_at::date as days_since_registration
from ranked
