-- Grain: one row per changed order line and version. Empty in a full build.
{{ versions_since('order_items', ['order_id', 'product_id', 'quantity', 'unit_price']) }}
