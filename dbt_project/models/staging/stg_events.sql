-- Grain: one row per event. Key: event_id. RAW holds one row per event already; of copies the first would count.
{{ config(unique_key='event_id', meta={'dirty': 'dirty_events', 'on': ['event_id']}) }}

with events as (
    select *
    from {{ source('raw', 'events') }}
    where {{ held('events') }} and {{ only_dirty(ref('dirty_events'), ['event_id']) }}
    qualify row_number() over (partition by event_id order by _partition, _offset) = 1
),

products as (
    select * from {{ ref('base_products') }}
)

select
    events.event_id,
    {{ event_owner('events') }} as owner,
    events.event_type,
    events.user_id,
    events.occurred_at,
    datediff(millisecond, events.occurred_at, events._timestamp) > {{ var('lateness_ms') }} as is_late,
    events.product_id,
    coalesce(events.category, products.category) as product_category,
    coalesce(events.price, products.price) as product_price,
    events.quantity,
    events.total_amount,
    events.results_count,
    events.page_url,
    events.referrer,
    events.device_type
from events
left join products on events.product_id = products.id
