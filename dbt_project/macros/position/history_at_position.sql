{#
    What the table's rows were up to this batch's position, and from when to when. Grain: one row per key and version.

    A version begins with a change of a tracked column, or with the first change of a key that is new or was deleted;
    it ends where the next one begins, or with a delete. The order is that of offsets. Times are PostgreSQL's commits
    (Kafka's where a record has none) as a running maximum: a clock that is set back ends no period before it began.

    A value that PostgreSQL left out of an update (the placeholder) is the last one that it did send, be it null: the
    first of the stretch that this sending opens. What has never been sent is not known: null.

    `key` is the key's name in the table, `by` in the dirty set, `as_key` in the history.
#}
{% macro history_at_position(table, tracked, dirty, as_key, by, toastable=[], key='id') %}
{%- set in_order -%} over (partition by {{ key }} order by _offset) {%- endset -%}
{%- set so_far -%}
    over (partition by {{ key }} order by _offset rows between unbounded preceding and current row)
{%- endset -%}
with changes as (
    select
        {{ key }},
        _offset,
        __op = 'd' as is_gone,
        max(coalesce(__source_ts_ms, _timestamp)) {{ so_far }} as changed_at
        {%- for column in tracked %},
        {%- if column in toastable %}
        iff({{ is_sent(column) }}, {{ column }}, null) as {{ column }},
        sum(iff({{ is_sent(column) }}, 1, 0)) {{ so_far }} as {{ column }}_stretch
        {%- else %}
        {{ column }}
        {%- endif %}
        {%- endfor %}
    from {{ source('raw', table) }}
    where {{ held(table) }} and {{ only_dirty(dirty, [key], [by]) }}
),

states as (
    select
        {{ key }},
        _offset,
        is_gone,
        changed_at,
        lag(is_gone, 1, true) {{ in_order }} as was_gone
        {%- for column in tracked %},
        {%- if column in toastable %}
        first_value({{ column }}) over (partition by {{ key }}, {{ column }}_stretch order by _offset) as {{ column }}
        {%- else %}
        {{ column }}
        {%- endif %}
        {%- endfor %}
    from changes
),

compared as (
    select
        *,
        was_gone
        {%- for column in tracked %}
        or {{ column }} is distinct from lag({{ column }}) {{ in_order }}
        {%- endfor %} as is_new
    from states
),

-- Beginnings of versions, and the deletes that end one.
turns as (
    select *, lead(changed_at) {{ in_order }} as ended_at, lead(is_gone, 1, false) {{ in_order }} as is_deleted
    from compared
    where iff(is_gone, not was_gone, is_new)
)

select
    {{ key }} as {{ as_key }},
    row_number() {{ in_order }}::number(38, 0) as version,
    {{ tracked | join(',\n    ') }},
    changed_at as valid_from,
    ended_at as valid_to,
    ended_at is null as is_current,
    is_deleted,
    {{ as_of() }} as created_at
from turns
where not is_gone
{% endmacro %}

{# The record has a value for the column: it is no delete, and PostgreSQL did not leave the value out. #}
{% macro is_sent(column) -%}
    (__op <> 'd' and coalesce({{ column }}, '') <> '{{ toast_placeholder() }}')
{%- endmacro %}
