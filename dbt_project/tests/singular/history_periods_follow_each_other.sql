-- The versions of a key are numbered without a gap; each begins where the one before ended, or after that if it was
-- deleted; all but the last have ended, and the current one is the one that has not. Critical.
{%- set histories = [('mart_user_history', 'user_id'), ('mart_product_history', 'product_id')] %}
with periods as (
    {%- for history, key in histories %}
    select
        '{{ history }}' as model,
        {{ key }} as key,
        version,
        valid_from,
        valid_to,
        is_current,
        is_deleted,
        row_number() over (partition by {{ key }} order by version) as place,
        lead(valid_from) over (partition by {{ key }} order by version) as next_from
    from {{ ref(history) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select model, key, version
from periods
where
    version <> place
    or valid_to < valid_from
    or next_from < valid_to
    or (next_from > valid_to and not is_deleted)
    or (next_from is not null and valid_to is null)
    or (next_from is null and valid_to is not null and not is_deleted)
    or is_current <> (valid_to is null)
    or (is_current and is_deleted)
