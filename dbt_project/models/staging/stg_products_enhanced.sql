-- Grain: one row per product. Key: id.
-- Scope: all products, for popularity is a rank among them.
{{ config(alias='products_enhanced', unique_key='id', meta={'stamp': 'processed_at', 'is_published': true}) }}

with products as (
    select * from {{ ref('base_products') }}
),

demand as (
    select * from {{ ref('base_demand') }}
),

ranked as (
    select
        products.*,
        coalesce(demand.orders, 0) as orders,
        row_number() over (order by coalesce(demand.orders, 0) desc, products.id) as demand_rank,
        count(*) over () as products
    from products
    left join demand on products.id = demand.product_id
)

select
    ranked.id,
    ranked.name,
    ranked.description,
    ranked.price,
    ranked.stock_quantity,
    ranked.category,
    ranked.created_at,
    ranked.updated_at,
    price_tiers.price_tier,
    ranked.stock_quantity > 0 as is_in_stock,
    ranked.orders > 0 and ranked.demand_rank * 100 <= ranked.products * {{ var('popular_share') }} as is_popular,
    {{ is_filled('ranked.name') }} and {{ is_filled('ranked.description') }} and {{ is_filled('ranked.category') }}
        and ranked.price > 0 as has_complete_info,
    {{ as_of() }} as processed_at
from ranked
left join {{ ref('price_tiers') }} as price_tiers on {{ is_in_band('ranked.price', 'price_tiers') }}
