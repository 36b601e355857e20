-- Events are conserved: each one staged is in one session, and each session in the funnel once. Critical.
with counts as (
    select
        'events' as what,
        (select count(*) from {{ ref('stg_events') }}) as rows_in,
        (select coalesce(sum(events), 0) from {{ ref('int_sessions') }}) as rows_out
    union all
    select
        'sessions',
        (select count(*) from {{ ref('int_sessions') }}),
        (select coalesce(sum(sessions), 0) from {{ ref('mart_funnel') }})
)

select what, rows_in, rows_out
from counts
where rows_in <> rows_out
