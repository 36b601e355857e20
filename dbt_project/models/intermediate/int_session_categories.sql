-- Grain: one row per session and product category that it viewed. Key: session_id, product_category.
-- How far the session went with it: views and carts of that category, checkouts and purchases of anything.
{{ config(
    unique_key=['session_id', 'product_category'],
    meta={'dirty': 'dirty_session_events', 'on': ['first_event_id'], 'by': ['event_id']}
) }}

with events as (
    select *
    from {{ ref('stg_events') }}
    where {{ only_dirty(ref('dirty_session_events'), ['event_id']) }}
),

placed as (
    {{ sessionized('events') }}
),

views as (
    select first_event_id, product_category, min(place) as viewed_place
    from placed
    where event_type = 'PRODUCT_VIEW' and product_category is not null
    group by first_event_id, product_category
),

starts as (
    select first_event_id, owner, occurred_at as started_at
    from placed
    where place = 1
),

steps as (
    select views.first_event_id, views.product_category, placed.event_type, placed.place
    from views
    left join placed
        on
            views.first_event_id = placed.first_event_id
            and views.viewed_place < placed.place
            and (
                placed.event_type in ('CHECKOUT_START', 'PURCHASE')
                or (placed.event_type = 'ADD_TO_CART' and placed.product_category = views.product_category)
            )
),

carted as (
    select
        *,
        {{ first_place("event_type = 'ADD_TO_CART'", ['first_event_id', 'product_category']) }} as carted_place
    from steps
),

checked_out as (
    select
        *,
        {{ first_place(
            "event_type = 'CHECKOUT_START' and place > carted_place", ['first_event_id', 'product_category']
        ) }} as checkout_place
    from carted
),

purchased as (
    select
        first_event_id,
        product_category,
        max(carted_place) as carted_place,
        max(checkout_place) as checkout_place,
        min(iff(event_type = 'PURCHASE' and place > checkout_place, place, null)) as purchased_place
    from checked_out
    group by first_event_id, product_category
),

digested as (
    select
        purchased.*,
        starts.started_at,
        {{ session_digest('starts.owner', 'starts.first_event_id') }} as digest
    from purchased
    inner join starts on purchased.first_event_id = starts.first_event_id
)

select
    {{ uuid_text('digest') }} as session_id,
    first_event_id,
    to_date(started_at) as date,
    product_category,
    (1 + {{ steps_reached(['carted_place', 'checkout_place', 'purchased_place']) }})::number(38, 0) as funnel_step
from digested
