{# One @, a domain with a dot, no blanks. False, not null, for a missing address. #}
{% macro is_valid_email(email) -%}
    coalesce(regexp_like({{ email }}, '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*[.][A-Za-z]{2,}'), false)
{%- endmacro %}
