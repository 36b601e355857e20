-- Grain: one row per changed order and version. Empty in a full build.
{{ versions_since('orders', ['user_id', 'status', 'total_amount', 'created_at']) }}
