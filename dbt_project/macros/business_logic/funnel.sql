{# Place of a session's first event that meets the condition, on each of its events; null if none does. #}
{% macro first_place(condition, within=['first_event_id']) -%}
    min(iff({{ condition }}, place, null)) over (partition by {{ within | join(', ') }})
{%- endmacro %}

{# How many steps were reached. A step is reached after the one before it, so those that were come first. #}
{% macro steps_reached(steps) -%}
    (
        {%- for step in steps -%}
        iff({{ step }} is null, 0, 1){{ ' + ' if not loop.last }}
        {%- endfor -%}
    )::number(38, 0)
{%- endmacro %}
