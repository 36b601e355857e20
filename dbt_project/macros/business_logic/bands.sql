{% macro price_tier(price) -%}
    {%- set bands = var('price_tiers') -%}
    case
        when {{ price }} >= {{ bands.premium }} then 'premium'
        when {{ price }} >= {{ bands.mid_range }} then 'mid-range'
        else 'budget'
    end
{%- endmacro %}

{% macro order_size(total_amount) -%}
    {%- set bands = var('order_sizes') -%}
    case
        when {{ total_amount }} >= {{ bands.large }} then 'large'
        when {{ total_amount }} >= {{ bands.medium }} then 'medium'
        else 'small'
    end
{%- endmacro %}
