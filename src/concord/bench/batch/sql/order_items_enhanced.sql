-- Grain: one row per order line.
select
    lines.id,
    lines.order_id,
    lines.product_id,
    lines.quantity,
    lines.unit_price,
    lines.quantity * lines.unit_price as line_total,
    lines.created_at,
    products.name as product_name,
    products.category as product_category,
    lines.quantity * (products.price - lines.unit_price) as discount_amount,
    lines.quantity * (lines.unit_price - products.cost) as margin_amount
from order_items as lines
left join products on lines.product_id = products.id
