-- Grain: one row per customer. Key: customer_id.
-- Scope: all customers, for tier, activity and forecast depend on everybody's spend and on as_of.
{{ config(
    alias='customer_analytics',
    unique_key='customer_id',
    meta={'stamp': 'last_updated', 'is_published': true}
) }}

with users as (
    select * from {{ ref('stg_users_enhanced') }}
),

metrics as (
    select * from {{ ref('int_customer_metrics') }}
),

measured as (
    select
        metrics.*,
        users.email,
        users.full_name,
        users.customer_tier,
        users.days_since_registration,
        to_date(users.created_at) as registration_date,
        datediff(day, metrics.last_order_date, to_date({{ as_of() }})) as days_since_last_order,
        greatest(
            datediff(day, metrics.first_order_date, to_date({{ as_of() }})), {{ var('ltv_minimum_days') }}
        )::number(38, 0) as observed_days
    from users
    inner join metrics on users.id = metrics.customer_id
),

segmented as (
    select
        measured.*,
        coalesce(days_since_last_order <= {{ var('active_days') }}, false) as is_active,
        coalesce(days_since_last_order >= {{ var('at_risk_days') }}, false) as is_at_risk
    from measured
)

select
    customer_id,
    email,
    full_name,
    registration_date,
    days_since_registration,
    first_order_date,
    last_order_date,
    total_orders,
    total_spent,
    {{ exact_ratio('total_spent', 'total_orders', scale=2) }} as avg_order_value,
    {{ exact_ratio('days_from_first_to_last_order', 'nullif(greatest(total_orders - 1, 0), 0)') }}
        as avg_days_between_orders,
    favorite_category,
    total_items_purchased,
    customer_tier,
    is_active,
    is_at_risk,
    {{ predicted_ltv('total_spent', 'observed_days', 'is_at_risk') }} as predicted_ltv,
    {{ as_of() }} as last_updated
from segmented
