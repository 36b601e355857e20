-- Grain: one row per article and version. Key: product_id, version.
{{ config(
    alias='product_history',
    unique_key=['product_id', 'version'],
    meta={'dirty': 'relabelled_products', 'on': ['product_id'], 'stamp': 'created_at', 'is_published': true}
) }}
{{ history_at_position(
    'products',
    ['name', 'category', 'price', 'cost'],
    ref('relabelled_products'),
    as_key='product_id',
    by='product_id',
    toastable=['name']
) }}
