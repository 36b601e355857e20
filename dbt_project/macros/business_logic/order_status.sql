{# Revenue counts every order that is not cancelled, in both layers. #}
{% macro counts_as_revenue(status) -%} {{ status }} <> '{{ var("cancelled_status") }}' {%- endmacro %}

{% macro is_completed(status) -%} {{ status }} in ({{ quoted(var('completed_statuses')) }}) {%- endmacro %}

{% macro is_known_status(status) -%} {{ status }} in ({{ quoted(var('statuses')) }}) {%- endmacro %}

{% macro quoted(values) -%} '{{ values | join("', '") }}' {%- endmacro %}
