{# How many customers there were at the end of each day. Grain: one row per day of `dates` with any. #}
{% macro customers_by_day(dates) -%}
    -- Somebody is a customer from the registration on, or from the first order if that came earlier.
    with arrivals as (
        select
            least(to_date(users.created_at), coalesce(first_orders.first_date, to_date(users.created_at))) as date,
            count(*) as customers
        from {{ ref('base_users') }} as users
        left join (
            select distinct user_id, first_date from {{ ref('int_customer_days') }}
        ) as first_orders on users.id = first_orders.user_id
        group by 1
    )

    select {{ dates }}.date, sum(arrivals.customers)::number(38, 0) as customers
    from {{ dates }}
    inner join arrivals on arrivals.date <= {{ dates }}.date
    group by {{ dates }}.date
{%- endmacro %}

{#
    Everybody who had bought by the end of each day, with what was known then and the tier it gave. Grain: one row per
    day of `dates` and buyer. `customer_counts` is what customers_by_day says of the same days.
#}
{% macro buyers_by_tier(dates, customer_counts) -%}
    with ranked as (
        select
            {{ dates }}.date,
            {{ customer_counts }}.customers,
            buyers.user_id,
            to_date(users.created_at) as registration_date,
            buyers.first_date,
            buyers.date as last_date,
            buyers.orders_to_date,
            buyers.spend_to_date,
            iff(buyers.date = {{ dates }}.date, buyers.orders, 0) as orders,
            iff(buyers.date = {{ dates }}.date, buyers.revenue, 0) as revenue,
            row_number() over (
                partition by {{ dates }}.date order by buyers.spend_to_date desc, buyers.user_id
            ) as spend_rank
        from {{ dates }}
        inner join {{ ref('int_customer_days') }} as buyers
            on buyers.date <= {{ dates }}.date and {{ dates }}.date < buyers.next_date
        inner join {{ ref('base_users') }} as users on buyers.user_id = users.id
        inner join {{ customer_counts }} on {{ dates }}.date = {{ customer_counts }}.date
    )

    select ranked.*, {{ customer_tier('tiers', 'ranked.spend_to_date') }} as customer_tier
    from ranked
    left join {{ ref('customer_tiers') }} as tiers
        on {{ is_ranked_within('ranked.spend_rank', 'ranked.customers', 'tiers') }}
{%- endmacro %}
