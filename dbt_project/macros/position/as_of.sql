{# The time that models take instead of now, so that a batch built again gives the same rows. #}
{% macro as_of() -%}
    {%- if execute and of_batch('as_of') is none -%}
        {{ exceptions.raise_compiler_error("give the variables position and as_of, as `concord batch run` does") }}
    {%- endif -%}
    '{{ of_batch('as_of') or '1970-01-01 00:00:00' }}'::timestamp_ntz
{%- endmacro %}
