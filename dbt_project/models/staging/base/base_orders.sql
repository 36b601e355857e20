{{ state_at_position(
    'orders',
    ['id', 'external_id', 'user_id', 'status', 'total_amount', 'shipping_address', 'created_at', 'updated_at'],
    toastable=['shipping_address']
) }}
