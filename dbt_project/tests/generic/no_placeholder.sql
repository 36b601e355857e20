{# No text column holds what stands for a value that PostgreSQL left out of an update. #}
{% test no_placeholder(model) %}
{%- set found = [] -%}
{%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(model) if column.is_string() -%}
        {%- do found.append(column.name ~ " = '" ~ toast_placeholder() ~ "'") -%}
    {%- endfor -%}
{%- endif %}
select *
from {{ model }}
where {{ found | join(' or ') or 'false' }}
{% endtest %}
