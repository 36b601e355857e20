{#
    The incremental strategy of every model: within the declared scope, rows that are new, different or gone are
    replaced by key in one transaction; rows that came out the same are left alone, stamp included.

    A model declares in `meta`: `dirty`, the model that lists the keys to rebuild; `on`, the columns that it lists
    (`by`, their names there). Without them the scope is the whole table: for models that rank all their rows
    or depend on as_of, and are small. `stamp` is the column that says when a row was built.

    The keys of replaced rows are noted in a journal beside the table (`unpublished_<table>`, for tables that are
    published): publication replaces these keys and no others.
#}
{% macro get_incremental_changed_rows_sql(arg_dict) %}
{%- set held, fresh = arg_dict.target_relation, arg_dict.temp_relation -%}
{%- set key = [arg_dict.unique_key] if arg_dict.unique_key is string else arg_dict.unique_key -%}
{%- set columns = arg_dict.dest_columns | map(attribute='name') | map('lower') | list -%}
{%- set meta = config.get('meta', {}) -%}
{%- set compared = columns | reject('in', key + [meta.get('stamp')]) | list -%}
{%- set moved = held.incorporate(path={'identifier': held.identifier ~ '__moved'}) -%}
create or replace temporary table {{ moved }} as
select
    {% for column in key -%}
    coalesce(fresh.{{ column }}, held.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ fresh }} as fresh
full outer join (
    select * from {{ held }}
    {%- if meta.get('dirty') %}
    where {{ is_within(meta['on'], ref(meta['dirty']), meta.get('by') or meta['on']) }}
    {%- endif %}
) as held on {{ same('fresh', 'held', key) }}
where
    fresh.{{ key[0] }} is null
    or held.{{ key[0] }} is null
    {%- for column in compared %}
    or fresh.{{ column }} is distinct from held.{{ column }}
    {%- endfor %};

begin;
{% if meta.get('is_published') -%}
insert into {{ journal(held) }} ({{ key | join(', ') }}) select {{ key | join(', ') }} from {{ moved }};
{% endif -%}
delete from {{ held }} using {{ moved }} as moved where {{ same(held, 'moved', key) }};
insert into {{ held }} ({{ columns | join(', ') }})
select {% for column in columns %}fresh.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
from {{ fresh }} as fresh
inner join {{ moved }} as moved on {{ same('fresh', 'moved', key) }};
commit;

drop table if exists {{ moved }}
{% endmacro %}

{% macro same(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro journal(relation) -%}
    {{ return(relation.incorporate(path={'identifier': 'unpublished_' ~ relation.identifier})) }}
{%- endmacro %}
