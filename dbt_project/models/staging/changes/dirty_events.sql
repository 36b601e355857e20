-- Grain: one row per event to stage anew: it came, or shows a product's category or price that changed.
select event_id from {{ ref('changed_events') }}
union
select event_id
from {{ source('raw', 'events') }}
where
    {{ ever_held('events') }}
    and (category is null or price is null)
    and product_id in (select product_id from {{ ref('relabelled_products') }})
