{#
    The rows of a change log that this batch holds: at or below its position. What a later batch, or one
    that died, has brought into RAW does not count.
#}
{% macro held(table) -%}
    {%- if execute and of_batch('position') is none -%}
        {{ exceptions.raise_compiler_error("give the variables position and as_of, as `concord batch run` does") }}
    {%- endif -%}
    {{ offsets_between(table, {}, of_batch('position')) }}
{%- endmacro %}

{# The rows that the models held already when this build began: at or below the position they were built at. #}
{% macro held_before(table) -%} {{ offsets_between(table, {}, of_batch('since') or {}) }} {%- endmacro %}

{#
    The rows that this build has to take in: above the position of the last build that ended, up to the highest
    one that any build since has tried. A build that broke off may have left rows of it behind.
#}
{% macro changed(table) -%} {{ offsets_between(table, of_batch('since') or {}, of_batch('reached') or {}) }} {%- endmacro %}

{# Every row that the models have held, hold, or are to hold in this build; none in a full one. #}
{% macro ever_held(table) -%} {{ offsets_between(table, {}, of_batch('reached') or {}) }} {%- endmacro %}

{% macro topic_of(table) -%}
    {{ return('ecommerce.events.v1' if table == 'events' else 'ecommerce.public.' ~ table) }}
{%- endmacro %}

{# Rows of the table's topic above one position, up to and with another; none where both are the same. #}
{% macro offsets_between(table, above, upto) -%}
    {%- if not execute -%}
        true
    {%- else -%}
        {%- set topic = topic_of(table) -%}
        {%- set bounds = [] -%}
        {%- for partition, last in (upto.get(topic) or {}) | dictsort -%}
            {%- set first = (above.get(topic) or {}).get(partition, -1) | int -%}
            {%- if first < last | int -%}
                {%- do bounds.append(
                    "(_topic = '" ~ topic ~ "' and _partition = " ~ (partition | int)
                    ~ (" and _offset > " ~ first if first >= 0 else "") ~ " and _offset <= " ~ (last | int) ~ ")"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
        {{ "(" ~ bounds | join("\n        or ") ~ ")" if bounds else "false" }}
    {%- endif -%}
{%- endmacro %}
