{#
    What `concord batch run` says of its batch: as_of, position, since, reached. It comes by the environment and is read
    when statements are made, not when the project is parsed: a variable that changes makes dbt parse everything anew.
    Who runs dbt by hand may give it as a variable.
#}
{% macro of_batch(name) -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(var(name, none) or fromjson(env_var('CONCORD_DBT_BATCH', '{}')).get(name)) }}
{%- endmacro %}
