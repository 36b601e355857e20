-- Grain: one row per day whose sessions changed, or with sessions and from the first on which tiers did.
select date from {{ ref('dirty_session_dates') }}
union
select to_date(sessions.started_at)
from {{ ref('int_sessions') }} as sessions
inner join {{ ref('first_tier_date') }} as first_moved on to_date(sessions.started_at) >= first_moved.date
