{#
    What a customer will have spent in ltv_days from as_of: the spend so far, continued at its own pace. The pace is
    taken over the days since the first order, at least ltv_minimum_days of them; who is at risk adds nothing.
    spent * (observed + horizon) / observed, divided once, so that it is exact to four places. Where it is from says
    the overview of the documentation.
#}
{% macro predicted_ltv(total_spent, observed_days, is_at_risk) -%}
    case
        when {{ observed_days }} is null or {{ is_at_risk }} then {{ total_spent }}::number(18, 4)
        else {{ exact_ratio(
            '(' ~ total_spent ~ ' * (' ~ observed_days ~ ' + ' ~ var('ltv_days') ~ '))',
            observed_days,
            scale=2
        ) }}
    end::number(18, 4)
{%- endmacro %}
