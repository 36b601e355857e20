-- The current versions are the rows that the shop has at the batch's position, as the state's models tell them. Critical.
{%- set histories = [
    ('mart_user_history', 'user_id', 'base_users', ['email', 'first_name', 'last_name']),
    ('mart_product_history', 'product_id', 'base_products', ['name', 'category', 'price', 'cost']),
] %}
{%- for history, key, base, tracked in histories %}
select '{{ history }}' as model, coalesce(current_versions.{{ key }}, state.id) as key
from (select * from {{ ref(history) }} where is_current) as current_versions
full outer join {{ ref(base) }} as state on current_versions.{{ key }} = state.id
where
    current_versions.{{ key }} is null
    or state.id is null
    {%- for column in tracked %}
    or current_versions.{{ column }} is distinct from state.{{ column }}
    {%- endfor %}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
