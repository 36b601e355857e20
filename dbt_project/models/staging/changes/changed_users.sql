-- Grain: one row per changed user and version. Empty in a full build.
{{ versions_since('users', ['created_at']) }}
