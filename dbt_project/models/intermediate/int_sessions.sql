-- Grain: one row per session. Key: session_id. What a session is says concord.rules.sessions.
-- It has no tier: that is a matter of a day and of what everybody has spent by then. The funnel has it.
{{ config(
    alias='sessions',
    unique_key='session_id',
    meta={
        'dirty': 'dirty_session_events',
        'on': ['first_event_id'],
        'by': ['event_id'],
        'stamp': 'processed_at',
        'is_published': true
    }
) }}

with events as (
    select *
    from {{ ref('stg_events') }}
    where {{ only_dirty(ref('dirty_session_events'), ['event_id']) }}
),

placed as (
    {{ sessionized('events') }}
),

viewed as (
    select
        *,
        {{ first_place("event_type = 'PRODUCT_VIEW'") }} as viewed_place,
        coalesce({{ first_place("event_type = 'LOGIN'") }}, {{ first_place('user_id is not null') }}) as naming_place,
        count(*) over (partition by first_event_id) as last_place
    from placed
),

carted as (
    select *, {{ first_place("event_type = 'ADD_TO_CART' and place > viewed_place") }} as carted_place
    from viewed
),

checked_out as (
    select *, {{ first_place("event_type = 'CHECKOUT_START' and place > carted_place") }} as checkout_place
    from carted
),

purchased as (
    select *, {{ first_place("event_type = 'PURCHASE' and place > checkout_place") }} as purchased_place
    from checked_out
),

summed as (
    select
        owner,
        first_event_id,
        {{ session_digest('owner', 'first_event_id') }} as digest,
        max(iff(place = naming_place, user_id, null))::number(38, 0) as user_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        max(iff(place = last_place, event_id, null)) as last_event_id,
        count_if(place = last_place and event_type = 'LOGOUT') > 0 as is_logged_out,
        count(*)::number(38, 0) as events,
        {% for column, event_type in var('session_counts').items() -%}
        count_if(event_type = '{{ event_type }}')::number(38, 0) as {{ column }},
        {% endfor -%}
        count_if(event_type = 'SEARCH' and results_count = 0)::number(38, 0) as searches_without_result,
        max(iff(place = viewed_place, occurred_at, null)) as viewed_at,
        max(iff(place = carted_place, occurred_at, null)) as carted_at,
        max(iff(place = checkout_place, occurred_at, null)) as checkout_at,
        max(iff(place = purchased_place, occurred_at, null)) as purchased_at,
        sum(
            case event_type when 'ADD_TO_CART' then 1 when 'REMOVE_FROM_CART' then -1 else 0 end
            * coalesce((quantity * product_price)::number(38, 2), 0)
        )::number(38, 2) as cart_value,
        sum(iff(event_type = 'PURCHASE', coalesce(total_amount, 0), 0))::number(38, 2) as purchase_value,
        lower(coalesce(max(iff(place = 1, page_url, null)), '')) as page,
        lower(coalesce(max(iff(place = 1, referrer, null)), '')) as came_from,
        max(iff(place = 1, device_type, null)) as device_type,
        count_if(is_late)::number(38, 0) as late_events
    from purchased
    group by owner, first_event_id
),

linked as (
    select
        *,
        {{ query_of('page') }} as query,
        {{ host_of('page') }} as page_host,
        {{ host_of('came_from') }} as host
    from summed
),

parsed as (
    select
        *,
        {{ parameter_of('query', 'utm_medium') }} as medium,
        {{ parameter_of('query', 'utm_source') }} as source_name
    from linked
)

select
    {{ uuid_text('digest') }} as session_id,
    owner,
    user_id,
    started_at,
    ended_at,
    first_event_id,
    last_event_id,
    is_logged_out,
    logins > 0 as has_login,
    events,
    page_views,
    product_views,
    searches,
    cart_adds,
    cart_removes,
    checkouts,
    purchases,
    logins,
    logouts,
    searches_without_result,
    {{ steps_reached(['viewed_at', 'carted_at', 'checkout_at', 'purchased_at']) }} as funnel_step,
    viewed_at,
    carted_at,
    checkout_at,
    purchased_at,
    cart_value,
    purchase_value,
    {{ traffic_source('query', 'medium', 'source_name', 'came_from', 'host', 'page_host') }} as traffic_source,
    device_type,
    late_events,
    {{ as_of() }} as processed_at
from parsed
