{{ config(unique_key='id', meta={'dirty': 'changed_users', 'on': ['id']}) }}
{{ state_at_position(
    'users',
    ['id', 'email', 'first_name', 'last_name', 'created_at', 'updated_at'],
    ref('changed_users'),
    toastable=['email', 'first_name', 'last_name']
) }}
