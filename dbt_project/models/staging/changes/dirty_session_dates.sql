-- Grain: one row per day on which a session to rebuild began or begins.
select distinct to_date(occurred_at) as date
from {{ ref('dirty_session_events') }}
