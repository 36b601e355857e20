-- Grain: one row per changed product and version. Empty in a full build.
{{ versions_since('products', ['name', 'price', 'cost', 'stock_quantity', 'category', 'updated_at']) }}
