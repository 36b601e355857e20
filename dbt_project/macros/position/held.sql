{#
    The rows of a change log that this batch holds: at or below its position. What a later batch, or one
    that died, has brought into RAW does not count.
#}
{% macro held(table) -%}
    {%- if not execute -%}
        true
    {%- else -%}
        {%- set topic = 'ecommerce.public.' ~ table -%}
        {%- set position = var('position', none) -%}
        {%- if position is none -%}
            {{ exceptions.raise_compiler_error("give the variables position and as_of, as `concord batch run` does") }}
        {%- endif -%}
        {%- set bounds = [] -%}
        {%- for partition, last in (position.get(topic) or {}) | dictsort -%}
            {%- do bounds.append(
                "(_topic = '" ~ topic ~ "' and _partition = " ~ (partition | int) ~ " and _offset <= " ~ (last | int) ~ ")"
            ) -%}
        {%- endfor -%}
        {{ "(" ~ bounds | join("\n        or ") ~ ")" if bounds else "false" }}
    {%- endif -%}
{%- endmacro %}
