{#
    What the changed keys looked like before and since: per key the version that the models hold, and every one
    that came after it. Grain: one row per key and version; a delete is a version whose columns are null.
    Old and new day of a moved order, old and new customer, and the day of a deleted one are all in here.
#}
{% macro versions_since(table, columns, key='id') %}
with changed as (
    select {{ key }}, __op, _offset, {{ columns | join(', ') }}
    from {{ source('raw', table) }}
    where {{ changed(table) }}
),

held_before as (
    select {{ key }}, __op, _offset, {{ columns | join(', ') }}
    from {{ source('raw', table) }}
    where {{ held_before(table) }} and {{ key }} in (select {{ key }} from changed)
    qualify row_number() over (partition by {{ key }} order by _offset desc) = 1
),

versions as (
    select *, true as is_held_before from held_before where __op <> 'd'
    union all
    select *, false as is_held_before from changed
)

select
    {{ key }},
    _offset,
    is_held_before,
    __op = 'd' as is_gone,
    {% for column in columns -%}
    iff(__op = 'd', null, {{ column }}) as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from versions
{% endmacro %}
