{{ config(unique_key='id', meta={'dirty': 'changed_products', 'on': ['id']}) }}
{{ state_at_position(
    'products',
    [
        'id', 'sku', 'name', 'description', 'price', 'cost', 'stock_quantity', 'category', 'created_at', 'updated_at'
    ],
    ref('changed_products'),
    toastable=['name', 'description']
) }}
