-- Grain: one row per customer and version. A row that is gone has no state, and a state that differs from the one
-- before it is a turn; a value left out is the one of the last record that had it.
with emails as (
    select id, _offset, email from users_log where __op <> 'd' and email is distinct from getvariable('placeholder')
),

first_names as (
    select id, _offset, first_name
    from users_log
    where __op <> 'd' and first_name is distinct from getvariable('placeholder')
),

last_names as (
    select id, _offset, last_name
    from users_log
    where __op <> 'd' and last_name is distinct from getvariable('placeholder')
),

states as (
    select
        log.id,
        log._offset,
        max(coalesce(log.__source_ts_ms, log._timestamp)) over (partition by log.id order by log._offset) as changed_at,
        case
            when log.__op <> 'd'
                then {email: emails.email, first_name: first_names.first_name, last_name: last_names.last_name}
        end as state
    from users_log as log
    asof left join emails on log.id = emails.id and log._offset >= emails._offset
    asof left join first_names on log.id = first_names.id and log._offset >= first_names._offset
    asof left join last_names on log.id = last_names.id and log._offset >= last_names._offset
),

turns as (
    select * from states qualify state is distinct from lag(state) over (partition by id order by _offset)
),

periods as (
    select
        *,
        lead(changed_at) over (partition by id order by _offset) as ended_at,
        lead(state) over (partition by id order by _offset) as next_state
    from turns
)

select
    id as user_id,
    row_number() over (partition by id order by _offset) as version,
    state.email,
    state.first_name,
    state.last_name,
    changed_at as valid_from,
    ended_at as valid_to,
    ended_at is null as is_current,
    ended_at is not null and next_state is null as is_deleted
from periods
where state is not null
