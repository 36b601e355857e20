{% macro is_filled(column) -%} coalesce(trim({{ column }}), '') <> '' {%- endmacro %}
