-- Grain: one row per event of a stretch that holds a dirty event. A stretch is a run of an owner's events without a
-- pause longer than a session's, be they held before or since: no session reaches beyond one.
with events as (
    select event_id, {{ event_owner() }} as owner, occurred_at
    from {{ source('raw', 'events') }}
    where {{ ever_held('events') }}
),

touched as (
    select events.*, dirty_events.event_id is not null as is_dirty
    from events
    left join {{ ref('dirty_events') }} as dirty_events on events.event_id = dirty_events.event_id
    where
        events.owner in (
            select owner from events where event_id in (select event_id from {{ ref('dirty_events') }})
        )
),

paused as (
    select touched.*, iff({{ is_after_a_pause() }}, 1, 0) as begins
    from touched
),

stretches as (
    select
        paused.*,
        sum(begins) over (partition by owner order by occurred_at, event_id rows unbounded preceding) as stretch
    from paused
)

select event_id, occurred_at
from stretches
qualify max(iff(is_dirty, 1, 0)) over (partition by owner, stretch) = 1
