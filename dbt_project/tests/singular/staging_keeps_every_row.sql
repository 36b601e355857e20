-- A staging model neither loses nor multiplies rows of the state it is made of. Critical.
{%- set pairs = [
    ('base_users', 'stg_users_enhanced'),
    ('base_products', 'stg_products_enhanced'),
    ('base_orders', 'stg_orders_enhanced'),
    ('base_order_items', 'stg_order_items_enhanced'),
] %}
with counts as (
    {%- for base, staged in pairs %}
    select
        '{{ staged }}' as model,
        (select count(*) from {{ ref(base) }}) as rows_in,
        (select count(*) from {{ ref(staged) }}) as rows_out
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select model, rows_in, rows_out
from counts
where rows_in <> rows_out
