-- Grain: one row per day (UTC) and product that an order of that day which is not cancelled holds.
-- Key: date, product_id. The products of a day are ranked together, so a day is rebuilt as a whole.
{{ config(
    alias='product_performance',
    unique_key=['date', 'product_id'],
    meta={'dirty': 'dirty_product_dates', 'on': ['date'], 'stamp': 'created_at', 'is_published': true}
) }}

with sales as (
    select *
    from {{ ref('int_product_analytics') }}
    where {{ only_dirty(ref('dirty_product_dates'), ['date']) }}
),

products as (
    select * from {{ ref('base_products') }}
),

ranked as (
    select
        sales.*,
        products.name as product_name,
        products.category,
        rank() over (partition by sales.date, products.category order by sales.total_revenue desc) as revenue_rank,
        rank() over (partition by sales.date, products.category order by sales.units_sold desc) as units_rank,
        count(*) over (partition by sales.date, products.category) as products_in_category
    from sales
    left join products on sales.product_id = products.id
)

select
    date,
    product_id,
    product_name,
    category,
    units_sold,
    total_revenue,
    {{ exact_ratio('total_revenue', 'nullif(greatest(units_sold, 0), 0)', scale=2) }} as avg_selling_price,
    unique_customers,
    repeat_customers,
    revenue_rank::number(38, 0) as revenue_rank_in_category,
    units_rank::number(38, 0) as units_rank_in_category,
    (revenue_rank - 1) * 100 < products_in_category * {{ var('top_performer_share') }} as is_top_performer,
    stock_level as current_stock_level,
    {{ days_of_inventory('stock_level', 'recent_units_sold') }} as days_of_inventory_remaining,
    {{ as_of() }} as created_at
from ranked
