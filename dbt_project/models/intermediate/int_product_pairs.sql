-- Grain: one row per pair of products that at least min_orders_together baskets hold, the lower number first.
-- Key: product_id, other_product_id.
{{ config(
    unique_key=['product_id', 'other_product_id'],
    meta={'dirty': 'dirty_product_pairs', 'on': ['product_id', 'other_product_id']}
) }}

select
    one.product_id,
    other.product_id as other_product_id,
    count(*)::number(38, 0) as orders_together
from {{ ref('int_basket_lines') }} as one
inner join {{ ref('int_basket_lines') }} as other
    on one.order_id = other.order_id and one.product_id < other.product_id
where
    {{ only_dirty(
        ref('dirty_product_pairs'),
        ['one.product_id', 'other.product_id'],
        ['product_id', 'other_product_id']
    ) }}
group by one.product_id, other.product_id
having count(*) >= {{ var('min_orders_together') }}
