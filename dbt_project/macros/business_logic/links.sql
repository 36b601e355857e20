{# What a link says of itself: the text between its first question mark and its fragment. #}
{% macro query_of(url) -%}
    {%- set link = "split_part(" ~ url ~ ", '#', 1)" -%}
    substr({{ link }}, length(split_part({{ link }}, '?', 1)) + 2)
{%- endmacro %}

{# A parameter's value, '' where there is none. One behind an ampersand counts before one at the beginning. #}
{% macro parameter_of(query, name) -%}
    case
        when contains({{ query }}, '&{{ name }}=') then
            split_part(split_part({{ query }}, '&{{ name }}=', 2), '&', 1)
        when left({{ query }}, {{ name | length + 1 }}) = '{{ name }}=' then
            split_part(substr({{ query }}, {{ name | length + 2 }}), '&', 1)
        else ''
    end
{%- endmacro %}

{# Host of an address in lower case, '' where it has none. #}
{% macro host_of(url) -%}
    coalesce(
        regexp_substr({{ url }}, '^[ \t\r\n]*[a-z][a-z0-9+.-]*://([^/?#@]*@)?([a-z0-9.-]+)', 1, 1, 'e', 2), ''
    )
{%- endmacro %}
