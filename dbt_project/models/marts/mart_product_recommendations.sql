-- Grain: one row per product and place in its list of recommendations. Key: product_id, recommendation_rank.
-- First what is bought together more often than chance, by confidence; then what is bought most, to fill the list.
-- Scope: all products, for support and lift depend on the number of all baskets.
{{ config(
    alias='product_recommendations',
    unique_key=['product_id', 'recommendation_rank'],
    meta={'stamp': 'created_at', 'is_published': true}
) }}

with baskets as (
    select count(distinct order_id)::number(38, 0) as baskets
    from {{ ref('int_basket_lines') }}
),

demand as (
    select product_id, count(*)::number(38, 0) as baskets
    from {{ ref('int_basket_lines') }}
    group by product_id
),

pairs as (
    select product_id, other_product_id, orders_together from {{ ref('int_product_pairs') }}
    union all
    select other_product_id, product_id, orders_together from {{ ref('int_product_pairs') }}
),

together as (
    select
        pairs.product_id,
        pairs.other_product_id as recommended_product_id,
        pairs.orders_together,
        demand.baskets as product_baskets,
        others.baskets as recommended_baskets,
        row_number() over (
            partition by pairs.product_id order by pairs.orders_together desc, pairs.other_product_id
        ) as place
    from pairs
    inner join demand on pairs.product_id = demand.product_id
    inner join demand as others on pairs.other_product_id = others.product_id
    cross join baskets
    where pairs.orders_together * baskets.baskets > demand.baskets * others.baskets
    qualify place <= {{ var('recommendations') }}
),

popular as (
    select product_id, baskets, row_number() over (order by baskets desc, product_id) as place
    from demand
    qualify place <= 2 * {{ var('recommendations') }} + 1
),

fallback as (
    select
        products.id as product_id,
        popular.product_id as recommended_product_id,
        coalesce(demand.baskets, 0) as product_baskets,
        popular.baskets as recommended_baskets,
        popular.place
    from {{ ref('base_products') }} as products
    cross join popular
    left join demand on products.id = demand.product_id
    left join together
        on products.id = together.product_id and popular.product_id = together.recommended_product_id
    where popular.product_id <> products.id and together.product_id is null
),

candidates as (
    select
        product_id, recommended_product_id, 'bought together' as basis, orders_together, product_baskets,
        recommended_baskets, 0 as stage, place
    from together
    union all
    select
        product_id, recommended_product_id, 'popularity', null, product_baskets, recommended_baskets, 1, place
    from fallback
),

ranked as (
    select
        candidates.*,
        baskets.baskets,
        row_number() over (partition by product_id order by stage, place) as recommendation_rank
    from candidates
    cross join baskets
    qualify recommendation_rank <= {{ var('recommendations') }}
)

select
    product_id,
    recommendation_rank::number(38, 0) as recommendation_rank,
    recommended_product_id,
    basis,
    orders_together::number(38, 0) as orders_together,
    {{ exact_ratio('orders_together', 'baskets') }} as support,
    {{ exact_ratio('orders_together', 'product_baskets') }} as confidence,
    {{ exact_ratio('(orders_together * baskets)', '(product_baskets * recommended_baskets)') }} as lift,
    {{ as_of() }} as created_at
from ranked
