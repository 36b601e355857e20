{{ state_at_position(
    'products',
    [
        'id', 'sku', 'name', 'description', 'price', 'cost', 'stock_quantity', 'category', 'created_at', 'updated_at'
    ],
    toastable=['name', 'description']
) }}
