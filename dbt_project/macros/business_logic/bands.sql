{# A value's band: from at_least on, below the next one's beginning; null stands for no bound. Seeds hold the bands. #}
{% macro is_in_band(value, bands) -%}
    (
        ({{ bands }}.at_least is null or {{ value }} >= {{ bands }}.at_least)
        and ({{ bands }}.below is null or {{ value }} < {{ bands }}.below)
    )
{%- endmacro %}
