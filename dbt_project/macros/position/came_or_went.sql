{# Of the versions of one key, as versions_since gives them: it is new since, or gone in one of them. #}
{% macro came_or_went() -%} (count_if(is_held_before) = 0 or count_if(is_gone) > 0) {%- endmacro %}
