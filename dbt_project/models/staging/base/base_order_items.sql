{{ state_at_position(
    'order_items',
    ['id', 'order_id', 'product_id', 'quantity', 'unit_price', 'created_at']
) }}
