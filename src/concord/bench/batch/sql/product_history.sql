-- Grain: one row per article and version. A row that is gone has no state, and a state that differs from the one
-- before it is a turn; a name left out is the one of the last record that had it.
with names as (
    select id, _offset, name from products_log where __op <> 'd' and name is distinct from getvariable('placeholder')
),

states as (
    select
        log.id,
        log._offset,
        max(coalesce(log.__source_ts_ms, log._timestamp)) over (partition by log.id order by log._offset) as changed_at,
        case
            when log.__op <> 'd'
                then {name: names.name, category: log.category, price: log.price, cost: log.cost}
        end as state
    from products_log as log
    asof left join names on log.id = names.id and log._offset >= names._offset
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
    id as product_id,
    row_number() over (partition by id order by _offset) as version,
    state.name,
    state.category,
    state.price,
    state.cost,
    changed_at as valid_from,
    ended_at as valid_to,
    ended_at is null as is_current,
    ended_at is not null and next_state is null as is_deleted
from periods
where state is not null
