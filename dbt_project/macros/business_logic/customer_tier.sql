{#
    Tier by rank of lifetime spend among all customers: the first 3 % platinum, the next 12 % gold, the next
    25 % silver, the rest bronze; who has spent nothing is bronze whatever the rank. Whole numbers on both
    sides of each comparison, so that no share is ever rounded.
#}
{% macro customer_tier(spend_rank, customers, lifetime_spend) -%}
    {%- set shares = var('tier_shares') -%}
    {%- set gold = shares.platinum + shares.gold -%}
    case
        when {{ lifetime_spend }} <= 0 then 'bronze'
        when {{ spend_rank }} * 100 <= {{ customers }} * {{ shares.platinum }} then 'platinum'
        when {{ spend_rank }} * 100 <= {{ customers }} * {{ gold }} then 'gold'
        when {{ spend_rank }} * 100 <= {{ customers }} * {{ gold + shares.silver }} then 'silver'
        else 'bronze'
    end
{%- endmacro %}
