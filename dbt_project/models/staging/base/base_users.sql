{{ state_at_position(
    'users',
    ['id', 'email', 'first_name', 'last_name', 'created_at', 'updated_at'],
    toastable=['email', 'first_name', 'last_name']
) }}
