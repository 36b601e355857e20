-- Grain: one row per customer and version. Key: user_id, version.
{{ config(
    alias='user_history',
    unique_key=['user_id', 'version'],
    meta={'dirty': 'changed_users', 'on': ['user_id'], 'by': ['id'], 'stamp': 'created_at', 'is_published': true}
) }}
{{ history_at_position(
    'users',
    ['email', 'first_name', 'last_name'],
    ref('changed_users'),
    as_key='user_id',
    by='id',
    toastable=['email', 'first_name', 'last_name']
) }}
