-- Grain: one row per event that came or, where a build goes back, is taken back. Empty in a full build.
select event_id
from {{ source('raw', 'events') }}
where {{ changed('events') }}
