{{ config(unique_key='id', meta={'dirty': 'changed_orders', 'on': ['id']}) }}
{{ state_at_position(
    'orders',
    ['id', 'external_id', 'user_id', 'status', 'total_amount', 'shipping_address', 'created_at', 'updated_at'],
    ref('changed_orders'),
    toastable=['shipping_address']
) }}
