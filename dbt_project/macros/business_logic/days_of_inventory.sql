{# Whole days that the stock lasts at the pace of the last demand_days days; null without stock known or demand. #}
{% macro days_of_inventory(stock, recent_units) -%}
    {%- set units = '(' ~ stock ~ ' * ' ~ var('demand_days') ~ ')' -%}
    case
        when {{ recent_units }} <= 0 then null
        else round(({{ units }} - mod({{ units }}, {{ recent_units }})) / {{ recent_units }})
    end::number(38, 0)
{%- endmacro %}
