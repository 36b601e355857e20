{# Whose events are ordered together: the device, or, where a server sent the event, the user. #}
{% macro event_owner(events=none) -%}
    {%- set of = events ~ '.' if events else '' -%}
    coalesce({{ of }}anonymous_id, 'user:' || {{ of }}user_id::string)
{%- endmacro %}

{# True for an event that comes too long after the one before it; null for an owner's first. #}
{% macro is_after_a_pause() -%}
    datediff(millisecond, lag(occurred_at) over (partition by owner order by occurred_at, event_id), occurred_at)
    > {{ var('session_pause_ms') }}
{%- endmacro %}

{#
    Events with the session that each belongs to, named by its first event, and their place in it, from 1.

    A session begins after a pause, after a LOGOUT, and at a LOGIN of another user than the one that a LOGIN of the same
    session named. All LOGINs of a session name one user, so the LOGIN before it says enough, if it lies in the same part:
    no pause and no LOGOUT between the two. See concord.rules.sessions.
#}
{% macro sessionized(events) -%}
    {%- set in_order = 'partition by owner order by occurred_at, event_id' -%}
    with broken as (
        select
            *,
            iff(
                {{ is_after_a_pause() }} or lag(event_type) over ({{ in_order }}) = 'LOGOUT', 1, 0
            ) as is_after_a_break
        from {{ events }}
    ),

    parted as (
        select *, sum(is_after_a_break) over ({{ in_order }} rows unbounded preceding) as part
        from broken
    ),

    logged_in as (
        select
            *,
            lag(user_id) over (
                partition by owner, part, iff(event_type = 'LOGIN', 1, 0) order by occurred_at, event_id
            ) as user_before
        from parted
    ),

    numbered as (
        select
            *,
            sum(is_after_a_break + iff(event_type = 'LOGIN' and user_before <> user_id, 1, 0)) over (
                {{ in_order }} rows unbounded preceding
            ) as session_number
        from logged_in
    )

    select
        *,
        first_value(event_id) over (partition by owner, session_number order by occurred_at, event_id) as first_event_id,
        row_number() over (partition by owner, session_number order by occurred_at, event_id) as place
    from numbered
{%- endmacro %}

{# What a session's owner and first event make its identity of. #}
{% macro session_digest(owner, first_event_id) -%} md5({{ owner }} || '|' || {{ first_event_id }}) {%- endmacro %}

{# 32 hex digits as UUID text, no bit of them changed. #}
{% macro uuid_text(digits) -%}
    substr({{ digits }}, 1, 8) || '-' || substr({{ digits }}, 9, 4) || '-' || substr({{ digits }}, 13, 4) || '-'
    || substr({{ digits }}, 17, 4) || '-' || substr({{ digits }}, 21, 12)
{%- endmacro %}
