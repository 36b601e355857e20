{#
    Models are built in <schema>_SHADOW; what readers see is swapped in by the batch once the tests have passed. What
    fails a test is of the working copies alone.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}{{ var('schema_suffix') if node.resource_type != 'test' }}
{%- endmacro %}
