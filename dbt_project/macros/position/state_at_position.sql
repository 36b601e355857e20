{#
    The table as PostgreSQL had it at this batch's position. Grain: one row per key.

    The change with the highest offset wins, and a key whose last change is a delete is left out. A value
    that PostgreSQL left out of an update (the placeholder) is the last one that it did send, be it null:
    hence first_value over an order and not max_by, which passes nulls over.
#}
{% macro state_at_position(table, columns, dirty, toastable=[], key='id') %}
select
    {{ columns | join(',\n    ') }}
from (
    select
        {%- for column in columns %}
        {% if column in toastable -%}
        first_value({{ column }}) over (
            partition by {{ key }}
            order by iff(__op = 'd' or {{ column }} = '{{ toast_placeholder() }}', 1, 0), _offset desc
        ) as {{ column }},
        {%- else -%}
        {{ column }},
        {%- endif %}
        {%- endfor %}
        __op as last_op,
        row_number() over (partition by {{ key }} order by _offset desc) as recency
    from {{ source('raw', table) }}
    where {{ held(table) }} and {{ only_dirty(dirty, [key]) }}
) as ranked
where recency = 1 and last_op <> 'd'
{% endmacro %}

{% macro toast_placeholder() -%} __debezium_unavailable_value {%- endmacro %}
