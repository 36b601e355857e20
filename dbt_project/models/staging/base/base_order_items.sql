{{ config(unique_key='id', meta={'dirty': 'changed_order_items', 'on': ['id']}) }}
{{ state_at_position(
    'order_items',
    ['id', 'order_id', 'product_id', 'quantity', 'unit_price', 'created_at'],
    ref('changed_order_items')
) }}
