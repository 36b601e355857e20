{# In an incremental build: the rows whose key is in the dirty set. In a full one: every row. #}
{% macro only_dirty(dirty, columns, by=none) -%}
    {%- if is_incremental() -%}
        {{ is_within(columns, dirty, by or columns) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro is_within(columns, relation, by) -%}
    ({{ columns | join(', ') }}) in (select {{ by | join(', ') }} from {{ relation }})
{%- endmacro %}
