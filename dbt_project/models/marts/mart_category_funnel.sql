-- Grain: one row per day (UTC) on which a session began and product category that it viewed.
-- Key: date, product_category. A session counts once per category.
{{ config(
    alias='category_funnel',
    unique_key=['date', 'product_category'],
    meta={'dirty': 'dirty_session_dates', 'on': ['date'], 'stamp': 'created_at', 'is_published': true}
) }}

with categories as (
    select *
    from {{ ref('int_session_categories') }}
    where {{ only_dirty(ref('dirty_session_dates'), ['date']) }}
),

counted as (
    select
        date,
        product_category,
        count(*)::number(38, 0) as viewed,
        count_if(funnel_step >= 2)::number(38, 0) as carted,
        count_if(funnel_step >= 3)::number(38, 0) as checkouts,
        count_if(funnel_step >= 4)::number(38, 0) as purchased
    from categories
    group by date, product_category
)

select
    date,
    product_category,
    viewed,
    carted,
    checkouts,
    purchased,
    {{ exact_ratio('carted', 'viewed') }} as cart_rate,
    {{ exact_ratio('checkouts', 'carted') }} as checkout_rate,
    {{ exact_ratio('purchased', 'checkouts') }} as purchase_rate,
    {{ exact_ratio('purchased', 'viewed') }} as conversion_rate,
    {{ as_of() }} as created_at
from counted
