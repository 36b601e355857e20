{#
    Tier by rank of lifetime spend among all customers: the seed says which percent of ranks is whose, from the top.
    Whole numbers on both sides of each comparison, so that no share is ever rounded.
#}
{% macro is_ranked_within(spend_rank, customers, tiers) -%}
    (
        {{ spend_rank }} * 100 > {{ customers }} * {{ tiers }}.above_percent
        and {{ spend_rank }} * 100 <= {{ customers }} * {{ tiers }}.upto_percent
    )
{%- endmacro %}

{# Who has spent nothing is of the lowest tier whatever the rank. #}
{% macro customer_tier(tiers, lifetime_spend) -%}
    iff({{ lifetime_spend }} <= 0, '{{ var("lowest_tier") }}', {{ tiers }}.customer_tier)
{%- endmacro %}

{% macro is_lowest_tier(tiers) -%} {{ tiers }}.customer_tier = '{{ var("lowest_tier") }}' {%- endmacro %}
